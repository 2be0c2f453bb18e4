package sendgrid_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"sync"
)

// A fake is SendGrid as "SendGrid: Mail Send" and its published description
// (tsg_mail_v3) have it, stricter where the two differ: a field that it does not
// know is refused.
type fake struct {
	mu   sync.Mutex
	sent []sentMail
}

type sentMail struct {
	Personalizations []personalization         `json:"personalizations"`
	From             *person                   `json:"from"`
	ReplyTo          *person                   `json:"reply_to"`
	Subject          string                    `json:"subject"`
	Content          []part                    `json:"content"`
	TrackingSettings map[string]map[string]any `json:"tracking_settings"`
}

type personalization struct {
	To         []person          `json:"to"`
	CC         []person          `json:"cc"`
	BCC        []person          `json:"bcc"`
	CustomArgs map[string]string `json:"custom_args"`
}

type person struct {
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
}

type part struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

func (f *fake) messages() []sentMail {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m, problem := read(r)
	if problem != nil {
		problem.write(w)
		return
	}
	f.mu.Lock()
	f.sent = append(f.sent, m)
	n := len(f.sent)
	f.mu.Unlock()
	w.Header().Set("X-Message-Id", fmt.Sprintf("LRzXl_NHStOGhQ4kofSm_%d", n))
	w.WriteHeader(http.StatusAccepted)
}

// A problem is how SendGrid words a refusal; it may quote what it was given.
type problem struct {
	status int
	Errors []fieldError `json:"errors"`
	ID     string       `json:"id,omitempty"`
}

type fieldError struct {
	Message string  `json:"message"`
	Field   *string `json:"field"`
	Help    any     `json:"help"`
}

func no(status int, field, message string) *problem {
	e := fieldError{Message: message, Help: "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html"}
	if field != "" {
		e.Field = &field
	}
	return &problem{status: status, Errors: []fieldError{e}}
}

func (p *problem) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(p.status)
	_ = json.NewEncoder(w).Encode(p)
}

func read(r *http.Request) (m sentMail, p *problem) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.URL.Path != "/v3/mail/send":
		return m, no(404, "", "not found")
	case r.Method != http.MethodPost:
		return m, no(405, "", "method not allowed")
	case r.Header.Get("Authorization") != "Bearer "+key:
		return m, no(401, "", "authorization required")
	case r.Header.Get("Accept") != "application/json":
		return m, no(406, "", "missing Accept header")
	case kind != "application/json":
		return m, no(415, "", "Content-Type should be application/json.")
	}
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 30<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, no(400, "", "Bad Request: "+err.Error())
	}
	return m, refuse(m)
}

func refuse(m sentMail) *problem {
	switch {
	case m.From == nil || !isAddress(m.From.Email):
		return no(400, "from.email", "The from email does not contain a valid address.")
	case m.ReplyTo != nil && !isAddress(m.ReplyTo.Email):
		return no(400, "reply_to.email", "The reply_to email does not contain a valid address.")
	case m.Subject == "":
		return no(400, "subject", "The subject is required.")
	}
	for name, setting := range m.TrackingSettings {
		if _, ok := setting["enable"].(bool); !ok || !slices.Contains([]string{"click_tracking", "open_tracking", "subscription_tracking", "ganalytics"}, name) {
			return no(400, "tracking_settings."+name, "There is no such setting, or it is neither on nor off.")
		}
	}
	if p := refuseContent(m.Content); p != nil {
		return p
	}
	return refuseTo(m.Personalizations)
}

func refuseContent(content []part) *problem {
	if len(content) == 0 {
		return no(400, "content", "Unless a valid template_id is provided, the content parameter is required.")
	}
	for i, c := range content {
		switch {
		case c.Value == "":
			return no(400, fmt.Sprintf("content.%d.value", i), "The content value must be a string at least one character in length.")
		case i == 0 && len(content) > 1 && c.Type != "text/plain", i == 1 && c.Type != "text/html", i > 1:
			return no(400, "content", "If present, text/plain must be first, followed by text/html, followed by any other content.")
		}
	}
	return nil
}

func refuseTo(all []personalization) *problem {
	if len(all) == 0 || len(all) > 1000 {
		return no(400, "personalizations", "From 1 to 1000 personalizations.")
	}
	total, seen := 0, map[string]bool{}
	for i, p := range all {
		if len(p.To) == 0 {
			return no(400, fmt.Sprintf("personalizations.%d.to", i), "The to array is required for all personalization objects, and must have at least one email object with a valid email address.")
		}
		if args, _ := json.Marshal(p.CustomArgs); len(args) > 10_000 {
			return no(400, fmt.Sprintf("personalizations.%d.custom_args", i), "The custom_args are over 10000 bytes.")
		}
		for n, to := range slices.Concat(p.To, p.CC, p.BCC) {
			total++
			key := strings.ToLower(to.Email)
			switch {
			case !isAddress(to.Email):
				return no(400, fmt.Sprintf("personalizations.%d.to.%d.email", i, n), to.Email+" does not contain a valid address.")
			case seen[key]:
				return no(400, "personalizations", to.Email+" is there more than once.")
			case strings.ContainsAny(to.Name, ",;"):
				return no(400, fmt.Sprintf("personalizations.%d.to.%d.name", i, n), "The name must not have a comma or a semicolon.")
			}
			seen[key] = true
		}
	}
	if total > 1000 {
		return no(400, "personalizations", "There is a limit of 1000 total recipients (to + cc + bcc) per request.")
	}
	return nil
}

func isAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

// settings are the names of what the mail switches, with what it says of each.
func (m sentMail) settings() []string {
	var found []string
	for name, setting := range m.TrackingSettings {
		for key, value := range setting {
			found = append(found, fmt.Sprint(name, ".", key, "=", value))
		}
	}
	slices.Sort(found)
	return found
}

func argNames(m sentMail) []string { return slices.Sorted(maps.Keys(m.Personalizations[0].CustomArgs)) }
