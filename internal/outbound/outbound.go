// Package outbound is what the ways out share of HTTP: the transport, what an
// answer's headers say, and, where no answer came, why not, in words that quote
// nothing, and whether the request can have arrived.
//
// It deliberately does not know what was sent, nor what is done about it.
package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"sync/atomic"
)

// ErrUnwritten says that a request could not be made: nothing was asked.
var ErrUnwritten = errors.New("the request cannot be written")

// What an error of net/http comes down to. Its own words may quote the URL, or
// what came instead of an answer.
var (
	errTooLate = errors.New("the time for it ran out")
	errClosed  = errors.New("the connection was closed without one")
	errNotHTTP = errors.New("what came is not an answer of HTTP")
)

// Why is what an error of a transport comes down to. It holds no URL, and
// nothing that the other side wrote.
func Why(err error) error {
	certificate, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	network, failed := errors.AsType[*net.OpError](err)
	timeout, isNet := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), isNet && timeout.Timeout():
		return errTooLate
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errClosed
	case errors.Is(err, ErrUnwritten):
		return ErrUnwritten
	case untrusted:
		return certificate
	case failed:
		return network
	}
	return errNotHTTP
}

// A Journey knows whether a request can have reached the other side whole. The
// zero Journey has not begun; each serves one request.
type Journey struct{ underway atomic.Bool }

// Trace follows a request. net/http tries a POST anew only when nothing of it
// was written, so each try starts afresh. A request that broke off while it was
// being written is not whole, and nobody acts on it.
func (j *Journey) Trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { j.underway.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { j.underway.Store(true) },
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err != nil {
				j.underway.Store(false)
			}
		},
	})
}

// MayHaveArrived tells whether the request can have reached the other side.
func (j *Journey) MayHaveArrived() bool { return j.underway.Load() }
