package behaviour_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"rappel/internal/config"
	"rappel/internal/sendgrid"
	"rappel/internal/twilio"
)

// What the practice has with its carriers.
const (
	accountSID = "AC0123456789abcdef0123456789abcdef"
	authToken  = "t0k3nOfTheAccount"
	apiKey     = "SG.k3y-of_the.Account"
	publicURL  = "https://rappel.example.com"
)

// Carriers are Twilio and SendGrid. They take every message, unless they were
// told what else to answer. Who takes a message brings it to its person, also
// where the answer never comes.
type carriers struct {
	inbox *inbox
	url   string

	mu     sync.Mutex
	taken  []carried
	asked  int
	script []answer // to the next requests; without a status, the message is taken and the connection cut
}

// A carried message is one that a carrier has taken.
type carried struct {
	sid          string
	callback     *url.URL // of Twilio
	notification string
	form         url.Values // of Twilio
}

func newCarriers(t *testing.T, in *inbox) *carriers {
	t.Helper()
	c := &carriers{inbox: in}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2010-04-01/Accounts/"+accountSID+"/Messages.json", c.twilio)
	mux.HandleFunc("POST /v3/mail/send", c.sendGrid)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// answers gives these answers to the next requests, one each.
func (c *carriers) answers(script ...answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.script = append(c.script, script...)
}

// requests is how many there were.
func (c *carriers) requests() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

// message is the nth that was taken.
func (c *carriers) message(n int) carried {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.taken[n]
}

// twilio takes text messages as "Twilio API v2010: Messages resource" has it.
func (c *carriers) twilio(w http.ResponseWriter, r *http.Request) {
	user, pass, _ := r.BasicAuth()
	if user != accountSID || pass != authToken || r.ParseForm() != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	callback, err := url.Parse(r.PostForm.Get("StatusCallback"))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	m := carried{callback: callback, notification: callback.Query().Get("notification"), form: r.PostForm}
	c.carry(w, m, "sms "+r.PostForm.Get("To")+": "+r.PostForm.Get("Body"), func(sid string) answer {
		return answer{status: http.StatusCreated, body: `{"sid":"` + sid + `","status":"queued","error_code":null}`}
	})
}

// sendGrid takes e-mail as "SendGrid: Mail Send" has it.
func (c *carriers) sendGrid(w http.ResponseWriter, r *http.Request) {
	var mail struct {
		Personalizations []struct {
			To         []struct{ Email string }
			CustomArgs map[string]string `json:"custom_args"`
		}
		Subject string
		Content []struct{ Value string }
	}
	if r.Header.Get("Authorization") != "Bearer "+apiKey || json.NewDecoder(r.Body).Decode(&mail) != nil ||
		len(mail.Personalizations) != 1 || len(mail.Personalizations[0].To) != 1 || len(mail.Content) == 0 {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	to := mail.Personalizations[0]
	m := carried{notification: to.CustomArgs["notification_id"]}
	c.carry(w, m, "email "+to.To[0].Email+": "+mail.Subject+" | "+mail.Content[0].Value, func(sid string) answer {
		w.Header().Set("X-Message-Id", sid)
		return answer{status: http.StatusAccepted}
	})
}

// carry answers a request as it was told, or else takes the message.
func (c *carriers) carry(w http.ResponseWriter, m carried, words string, take func(sid string) answer) {
	c.mu.Lock()
	c.asked++
	m.sid = fmt.Sprintf("SM%032x", c.asked)
	a := take(m.sid)
	if len(c.script) > 0 {
		a, c.script = c.script[0], c.script[1:]
	}
	if a.status == 0 || a.status/100 == 2 {
		c.taken = append(c.taken, m)
		c.inbox.deliver(words)
	}
	c.mu.Unlock()
	c.inbox.hold(a)
	a.write(w)
}

// deliver brings a message that was taken somewhere else.
func (in *inbox) deliver(words string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.messages = append(in.messages, words)
}

// A direct world sends by Twilio and SendGrid, and hears from them and from the
// main app at its ops server.
type direct struct {
	*world

	carriers *carriers
	opsURL   string
	key      *ecdsa.PrivateKey
}

func newDirect(t *testing.T) *direct {
	t.Helper()
	return openDirect(t, func(*world) {})
}

func openDirect(t *testing.T, prepare func(*world)) *direct {
	t.Helper()
	d := &direct{}
	d.world = openWorld(t, monday, func(w *world) {
		prepare(w)
		d.listen(w)
		d.carriers = newCarriers(t, w.inbox)
		w.cfg.SMSVia, w.cfg.EmailVia = config.ViaTwilio, config.ViaSendGrid
		w.cfg.Twilio = config.Twilio{AccountSID: accountSID, AuthToken: authToken, From: "+15005550006", URL: d.carriers.url}
		w.cfg.SendGrid = config.SendGrid{
			APIKey: apiKey, FromEmail: "desk@elm.example.com", WebhookPublicKey: d.newKey(t), URL: d.carriers.url,
		}
	})
	t.Cleanup(d.remembersNobody)
	return d
}

// newHooked is a world whose main app owns the accounts, and tells what became
// of messages.
func newHooked(t *testing.T) *direct {
	t.Helper()
	d := &direct{}
	d.world = openWorld(t, monday, d.listen)
	t.Cleanup(d.remembersNobody)
	return d
}

// listen gives the first worker an ops server.
func (d *direct) listen(w *world) {
	w.t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(w.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.ops, d.opsURL, w.cfg.PublicURL = l, "http://"+l.Addr().String(), publicURL
}

// newKey makes the key that SendGrid signs with, and returns what it shows of
// it.
func (d *direct) newKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	d.key = key
	return base64.StdEncoding.EncodeToString(shown)
}

// remembersNobody fails the test if a history holds a name or an address.
func (d *direct) remembersNobody() {
	var all string
	err := d.db.QueryRow(context.WithoutCancel(d.t.Context()), `
		SELECT coalesce(string_agg(concat_ws(' ', history, error_code, message_id), ' '), '') FROM rappel.notifications`).Scan(&all)
	if err != nil {
		d.t.Error(err)
	}
	if personal(all, slices.Collect(maps.Values(d.names))) {
		d.t.Errorf("the ledger's history names a person: %s", all)
	}
}

// post asks the ops server, and returns its status.
func (d *direct) post(path, body string, header map[string]string) int {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.opsURL+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	if said, _ := io.ReadAll(res.Body); personal(string(said), slices.Collect(maps.Values(d.names))) {
		d.t.Errorf("the answer to %s names a person: %s", path, said)
	}
	return res.StatusCode
}

// A callback is one of Twilio's, which may be altered before it is sent.
type callback struct {
	url   *url.URL
	form  url.Values
	token string // that signs it
	after func(*callback)
}

// callback has Twilio tell of the nth message, "delivered" or "undelivered
// 30006", with what it tells beside it.
func (d *direct) callback(n int, state string, forge ...func(*callback)) int {
	d.t.Helper()
	m := d.carriers.message(n)
	state, code, _ := strings.Cut(state, " ")
	c := &callback{url: m.callback, token: authToken, form: url.Values{
		"MessageSid": {m.sid}, "SmsSid": {m.sid}, "MessageStatus": {state}, "SmsStatus": {state},
		"To": {m.form.Get("To")}, "From": {m.form.Get("From")}, "AccountSid": {accountSID}, "ApiVersion": {"2010-04-01"},
	}}
	if code != "" {
		c.form.Set("ErrorCode", code)
	}
	c.after = func(*callback) {}
	for _, f := range forge {
		f(c)
	}
	signature := c.sign()
	c.after(c)
	return d.post(c.url.RequestURI(), c.form.Encode(), map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", twilio.SignatureHeader: signature,
	})
}

// sign signs the URL and the fields ("Twilio: Webhooks security").
func (c *callback) sign() string {
	signed := c.url.String()
	for _, name := range slices.Sorted(maps.Keys(c.form)) {
		signed += name + c.form.Get(name)
	}
	mac := hmac.New(sha1.New, []byte(c.token))
	mac.Write([]byte(signed))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// event is what SendGrid tells of the first message, with more beside it.
func (d *direct) event(kind string, more map[string]any) map[string]any {
	d.t.Helper()
	m := d.carriers.message(0)
	e := map[string]any{
		"event": kind, "email": "ann@example.com", "timestamp": d.clock.Now().Unix(), "sg_event_id": kind + m.sid,
		"sg_message_id": m.sid + ".filter", "smtp-id": "<x@example.com>", "notification_id": m.notification,
	}
	maps.Copy(e, more)
	return e
}

// events has SendGrid tell all of these at once.
func (d *direct) events(all ...map[string]any) int {
	d.t.Helper()
	body, err := json.Marshal(all)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.signed(d.key, d.clock.Now().Unix(), body, body)
}

// signed posts a body that was signed as another one, at a time ("SendGrid:
// Event Webhook Security Features").
func (d *direct) signed(key *ecdsa.PrivateKey, at int64, signed, sent []byte) int {
	d.t.Helper()
	timestamp := strconv.FormatInt(at, 10)
	sum := sha256.Sum256(bytes.Join([][]byte{[]byte(timestamp), signed}, nil))
	signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		d.t.Fatal(err)
	}
	return d.post("/webhooks/sendgrid/events", string(sent), map[string]string{
		"Content-Type": "application/json", sendgrid.TimestampHeader: timestamp,
		sendgrid.SignatureHeader: base64.StdEncoding.EncodeToString(signature),
	})
}

// status has the main app tell what became of a message.
func (d *direct) status(body string) int {
	d.t.Helper()
	return d.post("/webhooks/admin/status", body, map[string]string{"Authorization": "Bearer " + token})
}
