package dev

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"rappel/internal/kind"
	"rappel/recipients"
)

// A Message is one that the stand-in took.
type Message struct {
	ID             string // ours, as answered: message_id
	NotificationID string
	PracticeID     string
	ClientID       string
	ContactID      string // empty: the client
	AppointmentID  string // empty: a notice
	Kind           kind.Kind
	Channel        recipients.Channel
	To             string // a number or an e-mail address
	Name           string // of e-mail only
	ReplyTo        string
	Subject        string
	Text           string
	HTML           string
	ExpiresAt      time.Time // the latest moment at which it is of use
	At             time.Time // when it was taken, by the demo's clock
}

// A Reply is what somebody answered, as rappel passed it on.
type Reply struct {
	ID             string
	From           string
	Text           string
	Meaning        string
	PracticeID     string
	NotificationID string
	AppointmentIDs []string // more than one: it may be about any of them
	At             time.Time
}

// Trouble is a request that rappel should not have made.
type Trouble struct {
	At   time.Time
	Text string
}

// A Hook may answer a request in place of the stand-in, or after it. It returns
// whether it did.
type Hook func(w http.ResponseWriter, r *http.Request) (answered bool)

// Hooks make the stand-in fail on purpose.
type Hooks struct {
	Before Hook // in place of taking the request
	After  Hook // after taking it: the answer that gets lost on the way
}

// MainAppOptions are what a stand-in is built from. The zero value is fine.
type MainAppOptions struct {
	Token string           // bearer; empty: a random one
	Now   func() time.Time // nil: the machine's clock
}

// A MainApp stands in for a practice app: it offers the admin endpoints that
// rappel calls, and keeps in memory what came, the newest ones only.
type MainApp struct {
	token string
	now   func() time.Time

	mu       sync.Mutex
	hooks    Hooks
	heed     func(context.Context, Reply) error
	messages []Message
	replies  []Reply
	troubles []Trouble
	taken    map[string]taken // by idempotency key
	keys     []string         // of taken, the oldest first
	changed  chan struct{}    // closed, and made anew, with each change
}

// taken is a request that was answered with success.
type taken struct {
	digest [sha256.Size]byte
	id     string
}

// How much is kept. Keys outlive their messages, so that a late repeat is still
// known as one.
const (
	mostMessages = 2000
	mostKeys     = 20_000
	mostTroubles = 20
)

// NewMainApp returns a stand-in that has taken nothing yet.
func NewMainApp(o MainAppOptions) *MainApp {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &MainApp{
		token:   cmp.Or(o.Token, rand.Text()),
		now:     o.Now,
		taken:   map[string]taken{},
		changed: make(chan struct{}),
	}
}

// Token returns the bearer token that the endpoints ask for.
func (m *MainApp) Token() string { return m.token }

// Script sets the hooks; the zero value takes them away.
func (m *MainApp) Script(h Hooks) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hooks = h
}

func (m *MainApp) scripted() Hooks {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hooks
}

// OnReply has f called with each reply that is new, once it is kept and before
// rappel has its answer. What goes wrong then is shown as a trouble.
func (m *MainApp) OnReply(f func(context.Context, Reply) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heed = f
}

// act does what is to be done about a new reply.
func (m *MainApp) act(ctx context.Context, r Reply) {
	m.mu.Lock()
	heed := m.heed
	m.mu.Unlock()
	if heed == nil {
		return
	}
	if err := heed(ctx, r); err != nil {
		m.trouble("A reply was taken, and could not be acted upon: %v", err)
	}
}

// Messages returns what was taken, the oldest first.
func (m *MainApp) Messages() []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.messages)
}

// Replies returns what people answered, the oldest first.
func (m *MainApp) Replies() []Reply {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.replies)
}

// lastReply returns the id of the newest reply; empty: none has come.
func (m *MainApp) lastReply() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.replies) == 0 {
		return ""
	}
	return m.replies[len(m.replies)-1].ID
}

// Troubles returns the requests that were refused, the oldest first.
func (m *MainApp) Troubles() []Trouble {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.troubles)
}

// Changed returns a channel that is closed when something comes in. Ask for it
// before looking at what is there.
func (m *MainApp) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

// change is called with mu held.
func (m *MainApp) change() {
	close(m.changed)
	m.changed = make(chan struct{})
}

// Once takes what a key stands for, unless it is known: then it is not fresh,
// and the id is that given the first time. Same is false where the key came
// with another content.
func (m *MainApp) once(key string, digest [sha256.Size]byte, keep func(id string)) (id string, fresh, same bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, ok := m.taken[key]; ok {
		return known.id, false, known.digest == digest
	}
	id = "msg_" + rand.Text()
	m.taken[key] = taken{digest, id}
	m.keys = append(m.keys, key)
	if len(m.keys) > mostKeys {
		delete(m.taken, m.keys[0])
		m.keys = m.keys[1:]
	}
	keep(id)
	m.change()
	return id, true, true
}

// trouble notes what rappel should not have done.
func (m *MainApp) trouble(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.troubles = newest(append(m.troubles, Trouble{m.now(), fmt.Sprintf(format, args...)}), mostTroubles)
	m.change()
}

func newest[T any](all []T, most int) []T {
	return all[max(0, len(all)-most):]
}
