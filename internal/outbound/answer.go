package outbound

import (
	"bytes"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RetryAfter reads when to ask again: seconds, or a date (RFC 9110, section
// 10.2.3). It is zero where the answer does not say.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(v); err == nil {
		return Seconds(seconds)
	}
	if at, err := http.ParseTime(v); err == nil {
		return min(max(at.Sub(now), 0), mostWait)
	}
	return 0
}

const mostWait = 24 * time.Hour

// Seconds is a time to wait in seconds, as an answer has it.
func Seconds(n int) time.Duration {
	return time.Duration(min(max(n, 0), int(mostWait.Seconds()))) * time.Second
}

// ContentType tells, in words for ops, an answer that is not JSON apart: an HTML
// page is most often that of a proxy in between.
func ContentType(h http.Header) string {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	switch {
	case err != nil, kind == "application/json", kind == "application/problem+json":
		return ""
	case kind == "text/html", kind == "text/plain", kind == "application/xml":
		return " with " + kind
	}
	return " with something else than JSON"
}

// IsPage tells whether a body is an HTML page, by its content: some endpoints label
// their JSON text/html.
func IsPage(body []byte) bool {
	body = bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\ufeff"))
	xhtml := bytes.HasPrefix(body, []byte("<?xml")) && bytes.Contains(body, []byte("<html"))
	return xhtml || strings.HasPrefix(http.DetectContentType(body), "text/html")
}

// MostAnswer is how much of an answer is read.
const MostAnswer = 64 << 10

// Transport returns a transport that keeps up to the given number of
// connections open. It notices that an HTTP/2 connection is dead, lest each
// message given to it become one that may have gone.
func Transport(connections int) *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxIdleConnsPerHost:    max(connections, 2),
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: MostAnswer,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second},
	}
}
