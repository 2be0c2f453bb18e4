package dev

import (
	"net/http"
	"strings"
)

// onThisMachine answers only where the browser was told to ask this machine: a
// name of somebody else's that leads here is a trick.
func onThisMachine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.Host) {
			http.Error(w, "ask for http://127.0.0.1 or http://localhost", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// secured says what a browser may do with what it gets from here. The inline
// styles are those of the e-mails, which are shown in frames that may do
// nothing at all.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; "+
			"connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

// loopback tells whether host, with or without a port, is this machine.
func loopback(host string) bool {
	name := host
	if i := strings.LastIndex(host, ":"); i > 0 && !strings.HasSuffix(host, "]") {
		name = host[:i]
	}
	return name == "localhost" || name == "127.0.0.1" || name == "[::1]"
}
