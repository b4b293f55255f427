// A processor of your own events to start from: `intake` accepts them over HTTP and queues them, `work` stores them.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// where the id is in an event
var id = []string{"id"}

// beside target.toml, where commands run
var schema = jsonschema.NewCompiler().MustCompile("event.schema.json")

const insert = `
insert into events (event_id, event) select id, event::json from unnest($1::text[], $2::text[]) as new (id, event)
on conflict do nothing`

// accepted returns the id of a valid event, or an error that names the member.
func accepted(body []byte) (string, error) {
	if !utf8.Valid(body) {
		return "", errors.New("expected UTF-8")
	}
	event, err := jsonschema.UnmarshalJSON(bytes.NewReader(body)) // numbers keep every digit
	if err != nil {
		return "", errors.New("expected one JSON value")
	}
	var invalid *jsonschema.ValidationError
	if err := schema.Validate(event); errors.As(err, &invalid) {
		for len(invalid.Causes) > 0 {
			invalid = invalid.Causes[0]
		}
		return "", fmt.Errorf("/%s violates the schema", strings.Join(invalid.InstanceLocation, "/"))
	}
	for _, name := range id {
		event = event.(map[string]any)[name]
	}
	return fmt.Sprint(event), nil
}

// connected never sends a command again by itself: it may have been carried out.
func connected() *redis.Client {
	options, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	if err != nil {
		log.Fatal("expected a URL in REDIS_URL")
	}
	options.MaxRetries = -1
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = 2*time.Second, 2*time.Second, 2*time.Second
	return redis.NewClient(options)
}

// answer sends a status and a JSON object with one member.
func answer(w http.ResponseWriter, status int, name, value string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{name: value})
}

// intake serves until SIGTERM; open requests end first.
func intake(ctx context.Context) {
	queue := connected()
	// 202 once Redis has the event; 400 names the mistake in it; 504 means that the outcome is unknown
	http.HandleFunc("POST /events", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2<<20))
		if err != nil {
			answer(w, 413, "error", "expected at most 2 MB")
			return
		}
		eventID, err := accepted(body)
		if err != nil {
			answer(w, 400, "error", err.Error())
			return
		}
		entry := redis.XAddArgs{Stream: "events", Values: []any{"id", eventID, "event", body}}
		if queue.XAdd(context.WithoutCancel(r.Context()), &entry).Err() != nil {
			answer(w, 504, "error", "the queue did not answer")
			return
		}
		answer(w, 202, "id", eventID)
	})
	http.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) {}) // any response means: up
	server := http.Server{Addr: "127.0.0.1:" + os.Getenv("HTTP_PORT"), IdleTimeout: 75 * time.Second}
	go func() {
		if err := server.ListenAndServe(); err != http.ErrServerClosed {
			log.Fatal(err)
		}
	}()
	<-ctx.Done()
	server.Shutdown(context.Background())
}

// store stores, then deletes from the queue: a crash in between stores again, and the primary key prevents duplicates.
func store(ctx context.Context, queue *redis.Client, database *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	batch, err := queue.XRangeN(ctx, "events", "-", "+", 200).Result() // from the head, which preserves order
	if err != nil {
		return err
	}
	if len(batch) == 0 {
		time.Sleep(50 * time.Millisecond)
		return nil
	}
	var numbers, ids, events []string
	for _, entry := range batch {
		numbers = append(numbers, entry.ID)
		ids = append(ids, entry.Values["id"].(string))
		events = append(events, entry.Values["event"].(string))
	}
	if _, err := database.Exec(ctx, insert, ids, events); err != nil {
		return err
	}
	return queue.XDel(ctx, "events", numbers...).Err()
}

// work stores until SIGTERM and retries after errors: no event is held in memory alone.
func work(ctx context.Context) {
	queue := connected()
	for ctx.Err() == nil {
		database, err := connect(ctx)
		for err == nil {
			err = store(ctx, queue, database)
		}
		log.Printf("%T", err) // an event's content stays out of the log
		if database != nil {
			closing, cancel := context.WithTimeout(context.Background(), time.Second)
			database.Close(closing)
			cancel()
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// connect waits at most 3 s for the database.
func connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	return pgx.Connect(ctx, os.Getenv("DATABASE_URL"))
}

// setup creates the table, once. `json` stores the text unchanged; `jsonb` would not (-0.0, 1e400, NUL).
func setup(ctx context.Context) {
	database, err := connect(ctx)
	if err == nil {
		_, err = database.Exec(ctx, `create table events (
			event_id text primary key, event json not null, position bigint generated always as identity)`)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	map[string]func(context.Context){"intake": intake, "work": work, "setup": setup}[os.Args[1]](ctx)
}
