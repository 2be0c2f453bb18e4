package testenv

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// A Proxy is a stretch of network between rappel and one service, which can be
// cut, closed, slow or silent, or forget the connections it has.
type Proxy struct {
	listener net.Listener
	network  string // of the service
	address  string

	mu      sync.Mutex
	conns   map[net.Conn]bool // true: nothing passes on it any more
	closed  bool              // new connections are reset
	latency time.Duration     // of each piece that passes
	silent  chan struct{}     // closed once it speaks again; nil: it speaks
}

// NewProxy leads to a service, which need not be there yet.
func NewProxy(tb testing.TB, network, address string) *Proxy {
	tb.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{listener: listener, network: network, address: address, conns: map[net.Conn]bool{}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	var serving sync.WaitGroup
	serving.Go(func() { p.serve(ctx, &serving) })
	tb.Cleanup(func() {
		cancel()
		_ = listener.Close()
		p.Heal()
		p.Cut()
		serving.Wait()
	})
	return p
}

// ProxyToDatabase leads to the server of a database URL of ours, which names a
// Unix socket. It returns the URL that leads through the proxy.
func ProxyToDatabase(tb testing.TB, raw string) (*Proxy, string) {
	tb.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		tb.Fatal(err)
	}
	query := u.Query()
	p := NewProxy(tb, "unix", SocketOf(tb, raw))
	query.Del("host")
	query.Del("port")
	query.Set("sslmode", "disable")
	u.Host, u.RawQuery = p.Addr(), query.Encode()
	return p, u.String()
}

// SocketOf finds the Unix socket that a URL of ours names, of PostgreSQL or Redis.
func SocketOf(tb testing.TB, raw string) string {
	tb.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		tb.Fatal(err)
	}
	if u.Scheme == "redis-socket" {
		return u.Path
	}
	return filepath.Join(u.Query().Get("host"), ".s.PGSQL."+u.Query().Get("port"))
}

// Addr is where the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

func (p *Proxy) serve(ctx context.Context, serving *sync.WaitGroup) {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		serving.Go(func() { p.join(ctx, in) })
	}
}

// join passes on what comes in, both ways, until one side ends.
func (p *Proxy) join(ctx context.Context, in net.Conn) {
	defer abort(in)
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
	abort(in)
	_ = out.Close()
	<-done
}

func (p *Proxy) pass(ctx context.Context, to, from net.Conn) error {
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 {
			p.hold(ctx, from)
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

// hold keeps a piece for as long as the network is slow or silent, and for ever
// on a connection that is forgotten.
func (p *Proxy) hold(ctx context.Context, from net.Conn) {
	p.mu.Lock()
	latency, silent := p.latency, p.silent
	if p.conns[from] {
		silent = make(chan struct{}) // never closed
	}
	p.mu.Unlock()
	if latency > 0 {
		select {
		case <-time.After(latency):
		case <-ctx.Done():
		}
	}
	if silent == nil {
		return
	}
	select {
	case <-silent:
	case <-ctx.Done():
	}
}

func (p *Proxy) refuses() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

func (p *Proxy) note(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = false
	}
}

func (p *Proxy) forget(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}

// Cut resets every connection there is.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		abort(c)
	}
}

// Strand drops all packets on the connections there are, for ever, and lets new
// ones work: as a firewall that lost its table. Both sides see their connection
// open.
func (p *Proxy) Strand() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		p.conns[c] = true
	}
}

// Shut cuts, and lets nobody in until healed.
func (p *Proxy) Shut() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Cut()
}

// Slow lets each piece take d, until healed.
func (p *Proxy) Slow(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latency = d
}

// Silence keeps connections open and passes nothing on, until healed.
func (p *Proxy) Silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent == nil {
		p.silent = make(chan struct{})
	}
}

// Heal ends all trouble.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed, p.latency = false, 0
	if p.silent != nil {
		close(p.silent)
		p.silent = nil
	}
}

// abort ends a connection in such a way that the other side sees an error
// rather than an end.
func abort(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		Reset(tcp)
		return
	}
	_ = c.Close()
}
