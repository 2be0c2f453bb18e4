package recipients

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Role tells what somebody is to the appointment.
type Role string

// The roles, as the contract names them.
const (
	RoleClient  Role = "client"
	RoleContact Role = "contact"
)

// A PersonID tells people apart. A client and a contact may have the same id:
// each table may count its own rows.
type PersonID struct {
	Role Role
	ID   string
}

// Candidate is the verdict on one person and channel: send to the address, or
// skip for all of the reasons.
type Candidate struct {
	Recipient Role
	ID        string   // of the client or the contact
	Channel   Channel  // "" where the method leaves none
	Address   Address  // set only where Send
	Send      bool     // true exactly where Reasons is empty
	Reasons   []Reason // in the contract's order, each once
	Person    Person   // for the templates
}

// Who is the person that the verdict is about.
func (c Candidate) Who() PersonID { return PersonID{c.Recipient, c.ID} }

// What a candidate's outcome is called in JSON.
const (
	send = "send"
	skip = "skip"
)

type candidateJSON struct {
	Recipient Role     `json:"recipient"`
	ID        string   `json:"id"`
	Channel   *Channel `json:"channel"`
	Outcome   string   `json:"outcome"`
	Reasons   []Reason `json:"reasons"`
}

// MarshalJSON writes what the contract keeps of a candidate, which is neither
// an address nor a name.
func (c Candidate) MarshalJSON() ([]byte, error) {
	j := candidateJSON{Recipient: c.Recipient, ID: c.ID, Outcome: skip, Reasons: c.Reasons}
	if c.Channel != "" {
		j.Channel = &c.Channel
	}
	if c.Send {
		j.Outcome = send
	}
	if j.Reasons == nil {
		j.Reasons = []Reason{}
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON writes. The address and the person do
// not come back.
func (c *Candidate) UnmarshalJSON(data []byte) error {
	var j candidateJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return fmt.Errorf("candidate: %w", err)
	}
	if j.Outcome != send && j.Outcome != skip {
		return errors.New("candidate: outcome is neither send nor skip")
	}
	*c = Candidate{Recipient: j.Recipient, ID: j.ID, Send: j.Outcome == send, Reasons: union(j.Reasons)}
	if j.Channel != nil {
		c.Channel = *j.Channel
	}
	return nil
}

// Format prints a candidate as its JSON, whatever the verb: no name gets into
// a log by way of fmt.
func (c Candidate) Format(f fmt.State, _ rune) {
	if data, err := c.MarshalJSON(); err == nil {
		_, _ = f.Write(data)
	}
}
