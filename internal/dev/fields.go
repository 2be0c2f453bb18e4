package dev

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"rappel/internal/kind"
)

// mostBody is how large a request may be.
const mostBody = 1 << 20

// readObject reads a request's body: one JSON object and nothing else.
func readObject(w http.ResponseWriter, r *http.Request) (map[string]json.RawMessage, *problem) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, given := params["charset"]
	if err != nil || media != "application/json" || (given && !strings.EqualFold(charset, "utf-8")) {
		return nil, refuse(http.StatusUnsupportedMediaType, "media_type", "The body is not application/json in UTF-8.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, refuse(http.StatusRequestEntityTooLarge, "too_large", "The body is larger than a megabyte.")
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "unreadable", "The body could not be read.")
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil || object == nil {
		return nil, refuse(http.StatusBadRequest, "malformed", "The body is not one JSON object.")
	}
	return object, nil
}

// digest is the same for a body that says the same in another order or with
// other blanks. Optional fields come and go with what GET health lists.
func digest(path string, object map[string]json.RawMessage) [sha256.Size]byte {
	object = maps.Clone(object)
	delete(object, "expires_at")
	var values any
	all, err := json.Marshal(object)
	if err == nil && json.Unmarshal(all, &values) == nil {
		all, _ = json.Marshal(values) // what was just read can be written
	}
	return sha256.Sum256(append([]byte(path+"\n"), all...))
}

// Fields is an object that is read name by name. It remembers what was wrong,
// and which names nobody asked for. No mistake repeats a value.
type fields struct {
	in       string // "to." of an object inside
	left     map[string]json.RawMessage
	mistakes []string
	code     string // of the first mistake
}

func newFields(object map[string]json.RawMessage) *fields {
	return &fields{left: maps.Clone(object)}
}

func (f *fields) has(name string) bool {
	_, ok := f.left[name]
	return ok
}

func (f *fields) wrong(name, wanted string) {
	f.mistakes = append(f.mistakes, f.in+name+" is not "+wanted)
	if f.code == "" {
		f.code = "invalid_request"
	}
}

// value takes the value of a name out; false where it is not of type T.
func value[T any](f *fields, name string) (v T, ok bool) {
	raw, given := f.left[name]
	delete(f.left, name)
	if !given || bytes.Equal(raw, []byte("null")) {
		return v, false
	}
	return v, json.Unmarshal(raw, &v) == nil
}

func (f *fields) like(name string, fits func(string) bool, wanted string) string {
	s, ok := value[string](f, name)
	if !ok || !fits(s) {
		f.wrong(name, wanted)
		return ""
	}
	return s
}

// address is like like, but a mistake says that it is the address's.
func (f *fields) address(name string, fits func(string) bool, wanted string) string {
	s := f.like(name, fits, wanted)
	if s == "" && len(f.mistakes) == 1 {
		f.code = "invalid_address"
	}
	return s
}

func (f *fields) string(name string) string {
	return f.like(name, func(string) bool { return true }, "a text")
}

func (f *fields) text(name string) string {
	return f.like(name, func(s string) bool { return strings.TrimSpace(s) != "" }, "a text of more than blanks")
}

func (f *fields) uuid(name string) string { return f.like(name, isUUID, "a UUID") }

// uuidOrNull must be there, and may be null.
func (f *fields) uuidOrNull(name string) string {
	if string(f.left[name]) == "null" {
		delete(f.left, name)
		return ""
	}
	return f.like(name, isUUID, "a UUID or null")
}

// uuidIfGiven may be left out.
func (f *fields) uuidIfGiven(name string) string {
	if !f.has(name) {
		return ""
	}
	return f.uuid(name)
}

func (f *fields) uuids(name string) []string {
	ids, ok := value[[]string](f, name)
	if !ok || slices.ContainsFunc(ids, func(s string) bool { return !isUUID(s) }) {
		f.wrong(name, "a list of UUIDs")
		return nil
	}
	return ids
}

func (f *fields) time(name string) time.Time {
	s := f.like(name, func(s string) bool {
		_, err := time.Parse(time.RFC3339, s)
		return err == nil
	}, "a time of RFC 3339")
	t, _ := time.Parse(time.RFC3339, s)
	return t
}

// object reads an object inside; include takes its mistakes over.
func (f *fields) object(name string) *fields {
	inside, ok := value[map[string]json.RawMessage](f, name)
	if !ok {
		f.wrong(name, "an object")
	}
	o := newFields(inside)
	o.in = name + "."
	return o
}

func (f *fields) include(o *fields) {
	if refusal := o.refusal(); refusal != nil {
		if len(f.mistakes) == 0 {
			f.code = refusal.Code
		}
		f.mistakes = append(f.mistakes, o.mistakes...)
	}
}

// refusal is nil if all was right and nothing is left over.
func (f *fields) refusal() *problem {
	for _, name := range slices.Sorted(maps.Keys(f.left)) {
		f.wrong(name, "a field of this request")
	}
	if len(f.mistakes) == 0 {
		return nil
	}
	return refuse(http.StatusUnprocessableEntity, f.code, strings.Join(f.mistakes, "; ")+".")
}

var (
	uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	e164Form = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
)

func isUUID(s string) bool { return uuidForm.MatchString(s) }

func isE164(s string) bool { return e164Form.MatchString(s) }

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

func isLine(s string) bool { return strings.TrimSpace(s) != "" && !strings.ContainsAny(s, "\r\n") }

func isKind(s string) bool { return kind.Kind(s).Sort() != kind.Unknown }
