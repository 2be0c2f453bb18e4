package sendgrid

import "net/http"

// Transport is the way to SendGrid, for tests that bring a certificate.
func (c *Client) Transport() *http.Transport { return c.http.(*http.Transport) }
