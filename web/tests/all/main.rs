//! The explorer against logs that are built here, honest and not.

#![cfg(test)]

mod ask;
mod budget;
mod bundles;
mod following;
mod html;
mod http;
mod lies;
mod log;
mod odd;
mod pages;
mod palette;
mod sample;
mod story;
