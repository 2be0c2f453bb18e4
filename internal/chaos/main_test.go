package chaos_test

import (
	"flag"
	"log/slog"
	"testing"

	"rappel/internal/queue"
)

// TestMain knows the flags of a campaign: go test ./internal/chaos -args -full.
func TestMain(m *testing.M) {
	flag.Bool("full", false, "run the whole campaign, not only the short form")
	flag.Uint64("seed", 0, "what the dice begin with; 0: by chance in the whole campaign, 1 in the short form")
	flag.String("scenario", "", "only the scenarios whose names match")
	flag.Bool("update", false, "write the table of the whole campaign into the README")
	// What our own Redis client says of a Redis that we ended is no news.
	queue.LogTo(slog.New(slog.DiscardHandler))
	m.Run()
}

// option is the value of a flag.
func option[T any](t *testing.T, name string) T {
	t.Helper()
	getter, ok := flag.Lookup(name).Value.(flag.Getter)
	if !ok {
		t.Fatalf("the flag -%s cannot be read", name)
	}
	value, ok := getter.Get().(T)
	if !ok {
		t.Fatalf("the flag -%s is a %T", name, getter.Get())
	}
	return value
}
