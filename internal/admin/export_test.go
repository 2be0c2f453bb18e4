package admin

import "net/http"

// Transport is the way to the main app, for tests that bring a certificate.
func (c *Client) Transport() *http.Transport { return c.http.(*http.Transport) }
