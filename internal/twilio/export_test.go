package twilio

import "net/http"

// Transport is the way to Twilio, for tests that bring a certificate.
func (c *Client) Transport() *http.Transport { return c.http.(*http.Transport) }
