package behaviour_test

import (
	"bytes"
	"context"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"rappel/internal/config"
)

// A commit comes to pass and its answer is lost: nobody has been asked to send
// what it claimed, and Twilio knows no repeats, so that nobody would dare to once
// the claim has run out.
func TestACommitWhoseAnswerIsLostLosesNoMessage(t *testing.T) {
	t.Parallel()
	var lost atomic.Bool
	d := openDirect(t, func(w *world) { losesACommit(w, &lost) })
	d.book(d.ann(), thursday)
	d.until("the answer to a commit is lost", func(context.Context) bool { return lost.Load() })
	d.untilTrue("what it claimed is given back", `SELECT EXISTS (SELECT FROM rappel.notifications WHERE status = 'pending')`)
	d.wait(0)
	d.expect("sms +12015550101: booked")
}

// losesACommit puts somebody between the worker and PostgreSQL who loses one
// answer: that to the first commit of a transaction that wrote messages.
func losesACommit(w *world, lost *atomic.Bool) {
	w.t.Helper()
	direct, err := url.Parse(string(w.cfg.DatabaseURL))
	if err != nil {
		w.t.Fatal(err)
	}
	query := direct.Query()
	socket := filepath.Join(query.Get("host"), ".s.PGSQL."+query.Get("port"))
	var lc net.ListenConfig
	listener, err := lc.Listen(w.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	query.Set("host", host)
	query.Set("port", port)
	direct.RawQuery = query.Encode()
	w.cfg.DatabaseURL = config.Secret(direct.String())

	var all sync.WaitGroup
	w.t.Cleanup(all.Wait)
	w.t.Cleanup(func() { _ = listener.Close() })
	all.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { passOn(w.t.Context(), in, socket, lost) })
		}
	})
}

// passOn passes on what a connection says and what it is answered, but for the
// answer that is lost, which ends the connection.
func passOn(ctx context.Context, in net.Conn, socket string, lost *atomic.Bool) {
	defer in.Close()
	var dialer net.Dialer
	out, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return
	}
	defer out.Close()
	var losing atomic.Bool
	go func() {
		defer out.Close()
		piece, claims := make([]byte, 1<<20), false
		for {
			n, err := in.Read(piece)
			if err != nil {
				return
			}
			claims = claims || bytes.Contains(piece[:n], []byte("INSERT INTO rappel.notifications"))
			if claims && bytes.Contains(piece[:n], []byte("commit\x00")) && lost.CompareAndSwap(false, true) {
				losing.Store(true)
			}
			if _, err := out.Write(piece[:n]); err != nil {
				return
			}
		}
	}()
	piece := make([]byte, 1<<20)
	for {
		n, err := out.Read(piece)
		if err != nil || losing.Load() {
			return
		}
		if _, err := in.Write(piece[:n]); err != nil {
			return
		}
	}
}
