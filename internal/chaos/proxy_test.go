package chaos_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// A proxy is a stretch of network between rappel and one service, which can be
// cut, closed, slow or silent.
type proxy struct {
	listener net.Listener
	network  string // of the service
	address  string

	mu      sync.Mutex
	conns   map[net.Conn]struct{}
	closed  bool          // new connections are reset
	latency time.Duration // of each piece that passes
	silent  chan struct{} // closed once it speaks again; nil: it speaks
}

// newProxy leads to a service, which need not be there yet.
func newProxy(t *testing.T, network, address string) *proxy {
	t.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, network: network, address: address, conns: map[net.Conn]struct{}{}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var serving sync.WaitGroup
	serving.Go(func() { p.serve(ctx, &serving) })
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		p.heal()
		p.cut()
		serving.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) serve(ctx context.Context, serving *sync.WaitGroup) {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		serving.Go(func() { p.join(ctx, in) })
	}
}

// join passes on what comes in, both ways, until one side ends.
func (p *proxy) join(ctx context.Context, in net.Conn) {
	defer reset(in)
	if p.refuses() {
		return
	}
	var d net.Dialer
	out, err := d.DialContext(ctx, p.network, p.address)
	if err != nil {
		return
	}
	defer out.Close()
	p.note(in, out)
	defer p.forget(in, out)
	done := make(chan struct{}, 2)
	pass := func(to, from net.Conn) {
		_ = p.pass(ctx, to, from)
		done <- struct{}{}
	}
	go pass(out, in)
	go pass(in, out)
	<-done
	reset(in)
	_ = out.Close()
	<-done
}

func (p *proxy) pass(ctx context.Context, to, from net.Conn) error {
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 {
			p.hold(ctx)
			if _, err := to.Write(piece[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// hold keeps a piece for as long as the network is slow or silent.
func (p *proxy) hold(ctx context.Context) {
	p.mu.Lock()
	latency, silent := p.latency, p.silent
	p.mu.Unlock()
	if latency > 0 {
		wait(ctx, latency)
	}
	if silent == nil {
		return
	}
	select {
	case <-silent:
	case <-ctx.Done():
	}
}

func (p *proxy) refuses() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

func (p *proxy) note(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = struct{}{}
	}
}

func (p *proxy) forget(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}

// cut resets every connection there is.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		reset(c)
	}
}

// shut cuts, and lets nobody in until healed.
func (p *proxy) shut() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cut()
}

// slow lets each piece take d, until healed.
func (p *proxy) slow(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latency = d
}

// silence keeps connections open and passes nothing on, until healed.
func (p *proxy) silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent == nil {
		p.silent = make(chan struct{})
	}
}

// heal ends all trouble.
func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed, p.latency = false, 0
	if p.silent != nil {
		close(p.silent)
		p.silent = nil
	}
}

// reset ends a connection in such a way that the other side sees an error
// rather than an end.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
