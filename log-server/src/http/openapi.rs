//! `GET /openapi.json`: every address of the log, for machines. A test holds it against the router.

use axum::Json;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathsBuilder,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::response::{Response as Described, ResponseBuilder};
use utoipa::openapi::schema::{ArrayBuilder, ComponentsBuilder, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, Required, Schema};
use utoipa::{PartialSchema as _, ToSchema};

use super::answer::{Answer, Pending};
use super::error_pages::ProblemType;
use super::health::Health;
use super::issuers::{Issuer, RegisteredKey};
use super::prepare::Prepared;
use super::problem::{PROBLEM_JSON, ProblemDocument, ReasonDocument};
use super::proofs::{Consistency, Inclusion};

const JSON: &str = "application/json";
const TEXT: &str = "text/plain";
const HTML: &str = "text/html";
/// Statements that are sent, and receipts that come back.
const COSE: &str = "application/cose";
const OCTETS: &str = "application/octet-stream";
const BUNDLE_JSON: &str = "application/vnd.countersign.bundle+json";
/// The one address of the explorer that programs need, and find here: the explorer serves it in the log's process.
const BUNDLE: &str = "/executions/{id}.bundle";

pub(super) async fn document() -> Response {
    Json(describe()).into_response()
}

/// Every path with its one operation.
fn operations() -> Vec<(&'static str, HttpMethod, Operation)> {
    vec![
        ("/entries", HttpMethod::Post, submit()),
        ("/entries/batch", HttpMethod::Post, submit_batch()),
        ("/statements/prepare", HttpMethod::Post, prepare()),
        (
            "/checkpoint",
            HttpMethod::Get,
            get("The newest head that has its quorum, a signed note", TEXT, text()).build(),
        ),
        ("/tile/{level}/{index}", HttpMethod::Get, tile("level", "The level, 0 to 63")),
        ("/tile/entries/{index}", HttpMethod::Get, tile("", "")),
        (
            "/proof/inclusion",
            HttpMethod::Get,
            get("The path from an entry to the root of a tree", JSON, named::<Inclusion>())
                .parameter(number("index", "The place of the entry, from 0"))
                .parameter(number("size", "The size of the tree, at most that of /checkpoint"))
                .build(),
        ),
        (
            "/proof/consistency",
            HttpMethod::Get,
            get("The proof that a tree begins with a smaller one", JSON, named::<Consistency>())
                .parameter(number("from", "The size of the smaller tree"))
                .parameter(number("to", "The size of the larger tree, at most that of /checkpoint"))
                .build(),
        ),
        (
            "/issuers/{name}.json",
            HttpMethod::Get,
            get("The keys registered under a name", JSON, named::<Issuer>())
                .parameter(in_path("name", "The issuer's name, percent-encoded"))
                .build(),
        ),
        (BUNDLE, HttpMethod::Get, bundle()),
        ("/healthz", HttpMethod::Get, get("Whether the process answers", JSON, named::<Health>()).build()),
        (
            "/readyz",
            HttpMethod::Get,
            get(
                "Whether the log takes statements and publishes heads; if not, every reason why",
                JSON,
                named::<Health>(),
            )
            .build(),
        ),
        ("/metrics", HttpMethod::Get, get("Figures for Prometheus", TEXT, text()).build()),
        ("/openapi.json", HttpMethod::Get, get("This document", JSON, any_object()).build()),
        ("/errors", HttpMethod::Get, get("All problem types", HTML, text()).build()),
        (
            "/errors/{code}",
            HttpMethod::Get,
            OperationBuilder::new()
                .summary(Some(
                    "What a problem type means and what to do about it; with .json after the code as JSON",
                ))
                .parameter(in_path("code", "The problem code"))
                .response(
                    "200",
                    ResponseBuilder::new()
                        .description("The problem type")
                        .content(HTML, content(text()))
                        .content(JSON, content(named::<ProblemType>())),
                )
                .response("default", problem())
                .build(),
        ),
    ]
}

/// The whole document.
fn describe() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Countersign log")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "A transparency log for governed execution: statements go in, signed and cosigned heads and proofs come \
             out. Refusals are problem documents (RFC 9457) whose type is a page of this log.",
        ));
    let paths = operations().into_iter().fold(PathsBuilder::new(), |paths, (path, method, operation)| {
        paths.path(path, PathItem::new(method, operation))
    });
    let components = ComponentsBuilder::new()
        .schema(Answer::name(), Answer::schema())
        .schema(Pending::name(), Pending::schema())
        .schema(Prepared::name(), Prepared::schema())
        .schema(Inclusion::name(), Inclusion::schema())
        .schema(Consistency::name(), Consistency::schema())
        .schema(Issuer::name(), Issuer::schema())
        .schema(RegisteredKey::name(), RegisteredKey::schema())
        .schema(Health::name(), Health::schema())
        .schema(ProblemType::name(), ProblemType::schema())
        .schema(ProblemDocument::name(), ProblemDocument::schema())
        .schema(ReasonDocument::name(), ReasonDocument::schema());
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components.build())).build()
}

fn submit() -> Operation {
    let answered = |description: &str| {
        ResponseBuilder::new()
            .description(description)
            .header("Location", HeaderBuilder::new().schema(Some(text())).build())
            .content(JSON, content(named::<Answer>()))
            .content(TEXT, content(text()))
            .content(COSE, content(binary()))
    };
    OperationBuilder::new()
        .summary(Some("Submits one statement"))
        .description(Some(
            "The same bytes are never entered twice: a retry is answered with the entry that is there. A client that \
             got no answer sends the same bytes again.",
        ))
        .parameter(wait())
        .request_body(Some(body(&[(COSE, binary()), (JSON, any_object())])))
        .response("201", answered("The statement was entered"))
        .response("200", answered("The log held the same bytes already"))
        .response("202", pending(named::<Pending>()))
        .response("default", problem())
        .build()
}

fn submit_batch() -> Operation {
    let items = || {
        let item = OneOfBuilder::new()
            .item(named::<Answer>())
            .item(named::<Pending>())
            .item(named::<ProblemDocument<'_>>());
        RefOr::T(Schema::Array(ArrayBuilder::new().items(RefOr::T(Schema::OneOf(item.build()))).build()))
    };
    OperationBuilder::new()
        .summary(Some("Submits up to 1,024 statements, 16 MiB, in order"))
        .description(Some(
            "Later statements may refer to earlier ones, and be signed by keys that they register.",
        ))
        .parameter(wait())
        .parameter(in_query(
            "atomic",
            "true: all or none. false, the default: each for itself",
            false,
            &["true", "false"],
        ))
        .request_body(Some(body(&[("application/cbor-seq", binary())])))
        .response(
            "200",
            ResponseBuilder::new()
                .description("What became of each statement, in order")
                .content(JSON, content(items())),
        )
        .response("202", pending(items()))
        .response("default", problem())
        .build()
}

fn prepare() -> Operation {
    OperationBuilder::new()
        .summary(Some("Makes the bytes to sign from the JSON form of a statement; keeps nothing"))
        .request_body(Some(body(&[(JSON, any_object())])))
        .response(
            "200",
            ResponseBuilder::new()
                .description("The bytes to sign, and the statement without its signature")
                .content(JSON, content(named::<Prepared>())),
        )
        .response("default", problem())
        .build()
}

fn tile(first: &str, meaning: &str) -> Operation {
    let summary = if first.is_empty() {
        "A bundle of entries (C2SP tlog-tiles)"
    } else {
        "A tile of hashes (C2SP tlog-tiles)"
    };
    let mut operation = get(summary, OCTETS, binary());
    if !first.is_empty() {
        operation = operation.parameter(in_path(first, meaning));
    }
    let index = "The index in groups of three digits, x before all but the last; .p/<width> after it for a partial tile";
    operation.parameter(in_path("index", index)).build()
}

fn bundle() -> Operation {
    get("One execution with everything that it stands on, and one proof of it all", BUNDLE_JSON, any_object())
        .description(Some(
            "Checked offline by countersign-verify bundle. The explorer serves it: a log without one (--no-explorer) \
             answers 404, and any other explorer of this log has it as well.",
        ))
        .parameter(in_path("id", "The id of the execution; slashes in it stand as they are"))
        .build()
}

fn get(summary: &str, media_type: &str, schema: RefOr<Schema>) -> OperationBuilder {
    let found = ResponseBuilder::new().description("As asked for").content(media_type, content(schema));
    OperationBuilder::new().summary(Some(summary)).response("200", found).response("default", problem())
}

fn pending(schema: RefOr<Schema>) -> Described {
    ResponseBuilder::new()
        .description("The entry is in the log for good, but no head with it had its quorum in time")
        .header("Retry-After", HeaderBuilder::new().schema(Some(text())).build())
        .content(JSON, content(schema))
        .build()
}

fn problem() -> Described {
    ResponseBuilder::new()
        .description("Refused; nothing changed. The type is a page of this log that says what to do")
        .content(PROBLEM_JSON, content(named::<ProblemDocument<'_>>()))
        .build()
}

fn wait() -> Parameter {
    let meaning = "cosigned, the default: until a head with the entry has its quorum. sequenced: until the entry is \
                   durable and under a head that the log signed";
    in_query("wait", meaning, false, &["cosigned", "sequenced"])
}

fn number(name: &str, meaning: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::True)
        .description(Some(meaning))
        .schema(Some(RefOr::T(Schema::Object(
            ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).build(),
        ))))
        .build()
}

fn in_query(name: &str, meaning: &str, required: bool, values: &[&str]) -> Parameter {
    let required = if required { Required::True } else { Required::False };
    let values = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values.iter().copied()));
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(required)
        .description(Some(meaning))
        .schema(Some(RefOr::T(Schema::Object(values.build()))))
        .build()
}

fn in_path(name: &str, meaning: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(meaning))
        .schema(Some(text()))
        .build()
}

fn body(forms: &[(&str, RefOr<Schema>)]) -> RequestBody {
    let empty = RequestBodyBuilder::new().required(Some(Required::True));
    let add = |body: RequestBodyBuilder, (media_type, schema): &(&str, RefOr<Schema>)| {
        body.content(*media_type, content(schema.clone()))
    };
    forms.iter().fold(empty, add).build()
}

fn content(schema: RefOr<Schema>) -> utoipa::openapi::Content {
    ContentBuilder::new().schema(Some(schema)).build()
}

fn named<T: ToSchema>() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(T::name()))
}

fn text() -> RefOr<Schema> {
    RefOr::T(Schema::Object(ObjectBuilder::new().schema_type(Type::String).build()))
}

fn binary() -> RefOr<Schema> {
    let bytes = ObjectBuilder::new().schema_type(Type::String).content_media_type(OCTETS);
    RefOr::T(Schema::Object(bytes.build()))
}

fn any_object() -> RefOr<Schema> {
    RefOr::T(Schema::Object(ObjectBuilder::new().schema_type(Type::Object).build()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The part of a path before its first variable.
    fn stem(path: &str) -> &str {
        path.split('{').next().unwrap_or_default()
    }

    #[test]
    fn every_route_is_described_and_nothing_else_is() {
        let routed: BTreeSet<&str> = include_str!("router.rs")
            .split(".route(\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .map(stem)
            .collect();
        let here = |path: &&str| *path != BUNDLE;
        let described: BTreeSet<&str> =
            operations().iter().map(|(path, _, _)| *path).filter(here).map(stem).collect();
        assert!(routed.len() > 10);
        assert_eq!(routed, described);
    }

    #[test]
    fn every_reference_leads_to_a_schema() {
        let document = serde_json::to_value(describe()).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let text = document.to_string();
        let mut references = 0;
        for reference in text.split("\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name}");
            references += 1;
        }
        assert!(references > 10);
    }
}
