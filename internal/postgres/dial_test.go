package postgres_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"rappel/internal/postgres"
	"rappel/internal/testenv"
)

// TestAShorterConnectTimeoutHolds asks a server that takes connections and never
// answers.
func TestAShorterConnectTimeoutHolds(t *testing.T) {
	t.Parallel()
	server := testenv.Raw(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })
	store, err := postgres.Open(t.Context(), "postgres://"+strings.TrimPrefix(server, "http://")+"/x?connect_timeout=1&sslmode=disable", 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	begun := time.Now()
	if err := store.Writable(t.Context()); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("error %v", err)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
}
