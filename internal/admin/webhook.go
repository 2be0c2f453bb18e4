package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"rappel/jobs"
	"rappel/jobs/deliver"
)

// What is wrong with a status that the main app tells.
var (
	errToken    = errors.New("the admin token is missing or wrong")
	errNotPost  = errors.New("a status is told with POST")
	errNotJSON  = errors.New(`not a JSON object with "notification_id" and "status"`)
	errNoID     = errors.New(`"notification_id" is not a UUID`)
	errNoStatus = errors.New(`"status" is none of delivered, undelivered, opted_out`)
	errNoCode   = errors.New(`"error_code" is not a code: at most 64 letters, digits, "_", "-" and "."`)
)

// mostStatus is how large the body of a status may be.
const mostStatus = 16 << 10

// StatusHandler takes what the main app, as owner of the account with the
// carrier, tells of a message, and hands it to tell. Without the token it
// answers 403, to anything but a POST 405, to what cannot be read 400, to a
// notification that nobody knows 404, and where tell fails 503: tell it again.
func StatusHandler(token string, now func() time.Time, tell func(context.Context, deliver.Receipt) (known bool, err error)) http.Handler {
	want := sha256.Sum256([]byte("Bearer " + token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := sha256.Sum256([]byte(r.Header.Get("Authorization")))
		if token == "" || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			http.Error(w, errToken.Error(), http.StatusForbidden)
			return
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, errNotPost.Error(), http.StatusMethodNotAllowed)
			return
		}
		receipt, err := parseStatus(http.MaxBytesReader(w, r.Body, mostStatus))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		receipt.At = now()
		switch known, err := tell(r.Context(), receipt); {
		case err != nil:
			http.Error(w, "not kept", http.StatusServiceUnavailable)
		case !known:
			http.Error(w, "no such notification", http.StatusNotFound)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
}

func parseStatus(body io.Reader) (deliver.Receipt, error) {
	var said struct {
		NotificationID string   `json:"notification_id"`
		Status         string   `json:"status"`
		ErrorCode      codeJSON `json:"error_code"`
	}
	d := json.NewDecoder(body)
	if d.Decode(&said) != nil || !ended(d) {
		return deliver.Receipt{}, errNotJSON
	}
	if !jobs.IsID(said.NotificationID) {
		return deliver.Receipt{}, errNoID
	}
	r := deliver.Receipt{NotificationID: strings.ToLower(said.NotificationID), Source: string(deliver.ByAdmin)}
	code := string(said.ErrorCode)
	if !isCode(code) {
		return deliver.Receipt{}, errNoCode
	}
	switch said.Status {
	case "delivered":
		r.Status = deliver.Delivered
	case "undelivered":
		r.Status, r.ErrorCode, r.Silence = deliver.Undelivered, code, aboutAddress(code)
	case deliver.CodeOptedOut:
		r.Silence = deliver.CodeOptedOut
	default:
		return deliver.Receipt{}, errNoStatus
	}
	return r, nil
}

// A codeJSON is a text or a number, as carriers have their codes, or null. What is
// neither stays as it came, and is no code.
type codeJSON string

// UnmarshalJSON implements json.Unmarshaler.
func (c *codeJSON) UnmarshalJSON(b []byte) error {
	var text *string
	if json.Unmarshal(b, &text) != nil {
		*c = codeJSON(b)
	} else if text != nil {
		*c = codeJSON(*text)
	}
	return nil
}

// ended tells whether nothing but blanks is left.
func ended(d *json.Decoder) bool {
	_, err := d.Token()
	return errors.Is(err, io.EOF)
}

// isCode tells whether s looks like a code, or is empty: a sentence may hold a
// name.
func isCode(s string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
	return len(s) <= 64 && strings.Trim(s, allowed) == ""
}

// aboutAddress is a code that says something about the address, in lower case, or
// empty.
func aboutAddress(code string) string {
	switch code = strings.ToLower(code); code {
	case deliver.CodeOptedOut, deliver.CodeInvalidAddress, deliver.CodeLandline:
		return code
	}
	return ""
}
