// A Tessera log on a POSIX file system whose batches, checkpoints and witnesses can be set. Tessera's own conformance
// server has them fixed, so what it can do at its best is measured with this one. It speaks as that one does: POST /add
// answers with the index of an entry that is durable, and GET serves the files of the log.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

var (
	data       = flag.String("storage_dir", "", "folder of the log")
	listen     = flag.String("listen", "127.0.0.1:0", "address to listen on")
	key        = flag.String("private_key", "", "file with the note key of the log")
	batchSize  = flag.Uint("batch_size", 256, "entries in a batch, at most")
	batchAge   = flag.Duration("batch_age", 10*time.Millisecond, "how long a batch waits to be filled")
	checkpoint = flag.Duration("checkpoint_interval", 100*time.Millisecond, "time between checkpoints")
	witnesses  = flag.String("witnesses", "", "tlog-policy file; without it no witness is asked")
)

// The largest entry that a tlog-tiles log can hold.
const maxEntry = 1<<16 - 1

func main() {
	flag.Parse()
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	ctx := context.Background()
	told, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	options, err := options()
	if err != nil {
		return err
	}
	driver, err := posix.New(ctx, posix.Config{Path: *data})
	if err != nil {
		return fmt.Errorf("storage: %w", err)
	}
	appender, shutdown, _, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		return fmt.Errorf("appender: %w", err)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	server := http.Server{Handler: handler(appender), ReadHeaderTimeout: 30 * time.Second}
	go func() {
		<-told.Done()
		_ = server.Close()
	}()
	fmt.Printf("http://%s\n", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return shutdown(ctx)
}

func options() (*tessera.AppendOptions, error) {
	secret, err := os.ReadFile(*key)
	if err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(string(secret))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", *key, err)
	}
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithBatching(*batchSize, *batchAge).
		WithCheckpointInterval(*checkpoint)
	if *witnesses == "" {
		return options, nil
	}
	policy, err := os.ReadFile(*witnesses)
	if err != nil {
		return nil, err
	}
	group, err := tessera.NewWitnessGroupFromPolicy(policy)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", *witnesses, err)
	}
	return options.WithWitnesses(group, nil), nil
}

func handler(appender *tessera.Appender) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add", func(w http.ResponseWriter, r *http.Request) {
		entry, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEntry))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		index, err := appender.Add(r.Context(), tessera.NewEntry(entry))()
		switch {
		case errors.Is(err, tessera.ErrPushback):
			w.Header().Set("Retry-After", "1")
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		default:
			fmt.Fprint(w, index.Index)
		}
	})
	files := http.FileServer(http.Dir(*data))
	mux.Handle("GET /checkpoint", files)
	mux.Handle("GET /tile/", files)
	return mux
}
