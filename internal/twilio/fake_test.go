package twilio_test

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// A fake is Twilio as "Twilio API v2010: Create a Message" has it, stricter
// where the two differ: a parameter that it does not know is refused.
type fake struct {
	mu   sync.Mutex
	sent []url.Values
}

func (f *fake) messages() []url.Values {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if problem := f.refuse(r); problem != nil {
		problem.write(w)
		return
	}
	f.mu.Lock()
	f.sent = append(f.sent, r.PostForm)
	n := len(f.sent)
	f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(message(fmt.Sprintf("SM%032x", n), r.PostForm))
}

// message is a Message resource, as it is created.
func message(sid string, form url.Values) map[string]any {
	return map[string]any{
		"account_sid": account, "api_version": "2010-04-01", "body": form.Get("Body"),
		"date_created": "Sat, 21 Nov 2026 12:00:00 +0000", "date_sent": nil, "date_updated": "Sat, 21 Nov 2026 12:00:00 +0000",
		"direction": "outbound-api", "error_code": nil, "error_message": nil, "from": form.Get("From"),
		"messaging_service_sid": nil, "num_media": "0", "num_segments": "1", "price": nil, "price_unit": "USD",
		"sid": sid, "status": "queued", "subresource_uris": map[string]string{"media": "/2010-04-01/x.json"},
		"to": form.Get("To"), "uri": "/2010-04-01/Accounts/" + account + "/Messages/" + sid + ".json",
	}
}

// A problem is how Twilio words a refusal; it quotes what it was given.
type problem struct {
	Code     int    `json:"code"`
	Message  string `json:"message"`
	MoreInfo string `json:"more_info"`
	Status   int    `json:"status"`
}

func no(status, code int, about string) *problem {
	return &problem{Code: code, Message: "refused: " + about, MoreInfo: fmt.Sprint("https://www.twilio.com/docs/errors/", code), Status: status}
}

func (p *problem) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

func (f *fake) refuse(r *http.Request) *problem {
	user, pass, ok := r.BasicAuth()
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case !ok || user != account || pass != token:
		return no(401, 20003, user)
	case r.URL.Path != "/2010-04-01/Accounts/"+account+"/Messages.json":
		return no(404, 20404, r.URL.Path)
	case r.Method != http.MethodPost:
		return no(405, 20004, r.Method)
	case kind != "application/x-www-form-urlencoded" || r.ParseForm() != nil:
		return no(415, 20001, kind)
	case r.URL.RawQuery != "":
		return no(400, 20001, r.URL.RawQuery)
	}
	return refuseForm(r.PostForm)
}

func refuseForm(form url.Values) *problem {
	for name, values := range form {
		if !strings.Contains(" To From MessagingServiceSid Body StatusCallback ValidityPeriod ", " "+name+" ") || len(values) != 1 {
			return no(400, 20001, name)
		}
	}
	to, body := form.Get("To"), form.Get("Body")
	service := form.Get("MessagingServiceSid")
	switch {
	case to == "":
		return no(400, 21604, "'To'")
	case !regexp.MustCompile(`^\+[1-9]\d{6,14}$`).MatchString(to):
		return no(400, 21211, to)
	case form.Get("From") == "" && service == "":
		return no(400, 21603, "'From'")
	case service != "" && !regexp.MustCompile(`^MG[0-9a-fA-F]{32}$`).MatchString(service):
		return no(400, 21701, service)
	case body == "":
		return no(400, 21602, "'Body'")
	case utf8.RuneCountInString(body) > 1600:
		return no(400, 21617, body)
	case form.Has("StatusCallback") && !isCallback(form.Get("StatusCallback")):
		return no(400, 21609, form.Get("StatusCallback"))
	case form.Has("ValidityPeriod") && !isValidity(form.Get("ValidityPeriod")):
		return no(400, 21628, form.Get("ValidityPeriod"))
	}
	return nil
}

func isValidity(raw string) bool {
	seconds, err := strconv.Atoi(raw)
	return err == nil && seconds >= 1 && seconds <= 36_000
}

func isCallback(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && !strings.Contains(u.Hostname(), "_")
}
