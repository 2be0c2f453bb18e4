package admin_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/admin"
	"rappel/jobs/deliver"
)

const notification = "01900000-0000-7000-8000-00000000beef"

// A telling is a status that the main app tells, and what became of it.
type telling struct {
	method, authorization, body string

	known bool
	err   error
	got   []deliver.Receipt
}

func (s *telling) status(t *testing.T, secret string) *httptest.ResponseRecorder {
	t.Helper()
	h := admin.StatusHandler(secret, now, func(_ context.Context, r deliver.Receipt) (bool, error) {
		s.got = append(s.got, r)
		return s.known, s.err
	})
	r := httptest.NewRequestWithContext(t.Context(), s.method, "/webhooks/admin/status", strings.NewReader(s.body))
	if s.authorization != "" {
		r.Header.Set("Authorization", s.authorization)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// says is a status of a notification that is known, told as it should be.
func says(body string) telling {
	return telling{method: http.MethodPost, authorization: "Bearer " + token, body: body, known: true}
}

func TestWhatTheMainAppTellsBecomesAReceipt(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		said string
		want deliver.Receipt
	}{
		"it arrived":                        {`"status":"delivered"`, deliver.Receipt{Status: deliver.Delivered}},
		"it arrived, with a code of no use": {`"status":"delivered","error_code":"0"`, deliver.Receipt{Status: deliver.Delivered}},
		"it did not":                        {`"status":"undelivered"`, deliver.Receipt{Status: deliver.Undelivered}},
		"it did not, without a code":        {`"status":"undelivered","error_code":null`, deliver.Receipt{Status: deliver.Undelivered}},
		"it did not, with a code": {`"status":"undelivered","error_code":"30003"`, deliver.Receipt{
			Status: deliver.Undelivered, ErrorCode: "30003",
		}},
		"it did not, with a number for a code": {`"status":"undelivered","error_code":30006`, deliver.Receipt{
			Status: deliver.Undelivered, ErrorCode: "30006",
		}},
		"a landline": {`"status":"undelivered","error_code":"landline"`, deliver.Receipt{
			Status: deliver.Undelivered, ErrorCode: "landline", Silence: deliver.CodeLandline,
		}},
		"no address": {`"status":"undelivered","error_code":"invalid_address"`, deliver.Receipt{
			Status: deliver.Undelivered, ErrorCode: "invalid_address", Silence: deliver.CodeInvalidAddress,
		}},
		"it did not, for a STOP": {`"status":"undelivered","error_code":"opted_out"`, deliver.Receipt{
			Status: deliver.Undelivered, ErrorCode: "opted_out", Silence: deliver.CodeOptedOut,
		}},
		"a STOP":            {`"status":"opted_out"`, deliver.Receipt{Silence: deliver.CodeOptedOut}},
		"with more beside":  {`"status":"delivered","to":"` + phone + `","at":{"x":[1]}`, deliver.Receipt{Status: deliver.Delivered}},
		"the longest code":  {`"status":"undelivered","error_code":"` + strings.Repeat("x", 64) + `"`, deliver.Receipt{Status: deliver.Undelivered, ErrorCode: strings.Repeat("x", 64)}},
		"a code with signs": {`"status":"undelivered","error_code":"A_b-5.1.1"`, deliver.Receipt{Status: deliver.Undelivered, ErrorCode: "A_b-5.1.1"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.want.NotificationID, c.want.Source, c.want.At = notification, "admin", now()
			for _, body := range []string{
				`{"notification_id":"` + notification + `",` + c.said + `}`,
				` {` + c.said + `, "notification_id":"` + strings.ToUpper(notification) + `"}` + "\n",
			} {
				s := says(body)
				if w := s.status(t, token); w.Code != http.StatusNoContent || w.Body.Len() > 0 {
					t.Errorf("answered %d %s", w.Code, w.Body)
				}
				if diff := cmp.Diff([]deliver.Receipt{c.want}, s.got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestAStatusThatCannotBeReadIsRefusedInWordsThatQuoteNothing(t *testing.T) {
	t.Parallel()
	const id = `"notification_id":"` + notification + `"`
	const notJSON, noID, noStatus, noCode = `not a JSON object with`, `"notification_id" is not a UUID`, `"status" is none of`, `"error_code" is not a code`
	cases := map[string]struct{ body, want string }{
		"nothing":                     {``, notJSON},
		"not JSON":                    {`Ann Lee`, notJSON},
		"a form":                      {`notification_id=` + notification + `&status=delivered`, notJSON},
		"half an object":              {`{` + id + `,"status":"delivered"`, notJSON},
		"an object and more":          {`{` + id + `,"status":"delivered"} Ann`, notJSON},
		"two objects":                 {`{` + id + `,"status":"delivered"}{` + id + `,"status":"undelivered"}`, notJSON},
		"a list":                      {`[{` + id + `,"status":"delivered"}]`, notJSON},
		"a text":                      {`"` + quoted + `"`, notJSON},
		"too much":                    {`{` + id + `,"status":"delivered","more":"` + strings.Repeat("x", 17<<10) + `"}`, notJSON},
		"too many blanks":             {`{` + id + `,"status":"delivered"}` + strings.Repeat(" ", 17<<10), notJSON},
		"an id that is a number":      {`{"notification_id":7,"status":"delivered"}`, notJSON},
		"a status that is a list":     {`{` + id + `,"status":["delivered"]}`, notJSON},
		"a code that is a list":       {`{` + id + `,"status":"undelivered","error_code":[30003]}`, noCode},
		"null":                        {`null`, noID},
		"an empty object":             {`{}`, noID},
		"no id":                       {`{"status":"delivered"}`, noID},
		"an empty id":                 {`{"notification_id":"","status":"delivered"}`, noID},
		"an id that is none":          {`{"notification_id":"` + quoted + `","status":"delivered"}`, noID},
		"an id with a blank":          {`{"notification_id":" ` + notification + `","status":"delivered"}`, noID},
		"an id in braces":             {`{"notification_id":"{` + notification + `}","status":"delivered"}`, noID},
		"no status":                   {`{` + id + `}`, noStatus},
		"a status that nobody knows":  {`{` + id + `,"status":"` + quoted + `"}`, noStatus},
		"a status in capitals":        {`{` + id + `,"status":"Delivered"}`, noStatus},
		"a status that is rappel's":   {`{` + id + `,"status":"sent"}`, noStatus},
		"a code that is a sentence":   {`{` + id + `,"status":"undelivered","error_code":"` + quoted + ` is unknown"}`, noCode},
		"a code that is an address":   {`{` + id + `,"status":"undelivered","error_code":"` + mailbox + `"}`, noCode},
		"a code that is a number's":   {`{` + id + `,"status":"undelivered","error_code":"` + phone + `"}`, noCode},
		"a code that is too long":     {`{` + id + `,"status":"undelivered","error_code":"` + strings.Repeat("x", 65) + `"}`, noCode},
		"a code that is too much for": {`{` + id + `,"status":"delivered","error_code":"` + quoted + `"}`, noCode},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := says(c.body)
			w := s.status(t, token)
			if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
			silent(t, errors.New(w.Body.String()))
			if len(s.got) > 0 {
				t.Errorf("told %+v", s.got)
			}
		})
	}
}

func TestAStatusIsBelievedWithTheTokenAlone(t *testing.T) {
	t.Parallel()
	good := says(`{"notification_id":"` + notification + `","status":"delivered"}`)
	cases := map[string]struct {
		token, authorization string
	}{
		"none":                         {token, ""},
		"another":                      {token, "Bearer another"},
		"a part of it":                 {token, "Bearer " + token[:5]},
		"more than it":                 {token, "Bearer " + token + "x"},
		"without its scheme":           {token, token},
		"with another scheme":          {token, "Basic " + token},
		"the empty one, where none is": {"", "Bearer "},
		"any, where none is":           {"", "Bearer " + token},
		"none, where none is":          {"", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, body := range []string{good.body, "not JSON"} { // what it says is not looked at
				s := good
				s.authorization, s.body = c.authorization, body
				w := s.status(t, c.token)
				if w.Code != http.StatusForbidden || len(s.got) > 0 {
					t.Errorf("answered %d, told %+v", w.Code, s.got)
				}
				silent(t, errors.New(w.Body.String()))
			}
		})
	}
}

func TestTheMainAppIsToldWhatBecameOfItsStatus(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*telling)
		want   int
	}{
		"kept":                     {func(*telling) {}, http.StatusNoContent},
		"of nobody":                {func(s *telling) { s.known = false }, http.StatusNotFound},
		"not kept":                 {func(s *telling) { s.known, s.err = false, errors.New("no row of "+quoted) }, http.StatusServiceUnavailable},
		"known, and not kept":      {func(s *telling) { s.err = errors.New("no row of " + quoted) }, http.StatusServiceUnavailable},
		"not told, but asked for":  {func(s *telling) { s.method = http.MethodGet }, http.StatusMethodNotAllowed},
		"not told, but put there":  {func(s *telling) { s.method = http.MethodPut }, http.StatusMethodNotAllowed},
		"by nobody, and asked for": {func(s *telling) { s.method, s.authorization = http.MethodGet, "" }, http.StatusForbidden},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := says(`{"notification_id":"` + notification + `","status":"delivered"}`)
			c.change(&s)
			w := s.status(t, token)
			if w.Code != c.want {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
			silent(t, errors.New(w.Body.String()))
		})
	}
}

func FuzzAStatusIsReadOrRefused(f *testing.F) {
	for _, body := range []string{
		`{"notification_id":"` + notification + `","status":"delivered"}`,
		`{"notification_id":"` + notification + `","status":"undelivered","error_code":"30003"}`,
		`{"notification_id":"` + notification + `","status":"opted_out","error_code":null}`,
		`{}`, `null`, `[]`, `{`, "",
	} {
		f.Add(body)
	}
	sentences := []string{
		`not a JSON object with "notification_id" and "status"`, `"notification_id" is not a UUID`,
		`"status" is none of delivered, undelivered, opted_out`, `"error_code" is not a code`,
	}
	f.Fuzz(func(t *testing.T, body string) {
		s := says(body)
		w := s.status(t, token)
		switch w.Code {
		case http.StatusNoContent:
			r := s.got[0]
			if r.NotificationID != strings.ToLower(r.NotificationID) || len(r.NotificationID) != len(notification) || len(r.ErrorCode) > 64 ||
				(r.Status == "" && r.Silence == "") || strings.ContainsAny(r.ErrorCode, " @+\n") || !r.At.Equal(now()) {
				t.Errorf("%q became %+v", body, r)
			}
		case http.StatusBadRequest:
			if said, _, _ := strings.Cut(w.Body.String(), ":"); len(s.got) > 0 || !slices.Contains(sentences, strings.TrimSpace(said)) {
				t.Errorf("%q was answered %s", body, w.Body)
			}
		default:
			t.Errorf("%q was answered %d", body, w.Code)
		}
	})
}
