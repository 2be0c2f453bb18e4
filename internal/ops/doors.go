package ops

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
	"time"
)

// What one request may cost.
const (
	mostHeader  = 64 << 10
	mostBody    = 1 << 20
	longestWork = 45 * time.Second
)

// bounded ends what takes too long, and refuses what is too large.
func bounded(next http.Handler) http.Handler {
	return http.MaxBytesHandler(http.TimeoutHandler(next, longestWork, "that took too long\n"), mostBody)
}

// secured says what a browser may do with what it gets from here: no scripts, no
// inline styles, nothing from elsewhere, and no frame around it.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; "+
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

// scripted is for the dashboard, a page of scripts and inline styles of its own.
func scripted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; script-src 'self' 'unsafe-inline'; "+
			"style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; base-uri 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

// guarded lets in who has the token or, where there is none, who asks for this
// machine; and nobody whom the page of another site has sent to change or show
// something.
func guarded(token string, next http.Handler) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	if token == "" {
		return onThisMachine(next)
	}
	return behind(token, next)
}

// onThisMachine answers only where the browser was told to ask this machine: a
// name of somebody else's that leads here is a trick (DNS rebinding).
func onThisMachine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.Host) {
			http.Error(w, "without RAPPEL_OPS_TOKEN this answers to http://127.0.0.1 and http://localhost only", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loopback tells whether host, with or without a port, is this machine.
func loopback(host string) bool {
	name := host
	if n, _, err := net.SplitHostPort(host); err == nil {
		name = n
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	ip := net.ParseIP(name)
	return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
}

// behind asks for the token: as a bearer token, or for browsers as the password
// of HTTP Basic (RFC 6750 and RFC 7617).
func behind(token string, next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			_, given, _ = r.BasicAuth()
		}
		got := sha256.Sum256([]byte(given))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="rappel", charset="UTF-8"`)
			http.Error(w, "the ops token is missing or wrong", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
