package recipients

// Channel is a way on which a message reaches a person.
type Channel string

// The channels, as the contract names them.
const (
	SMS   Channel = "sms"
	Email Channel = "email"
)

// Valid tells whether c is one of the channels.
func (c Channel) Valid() bool { return c == SMS || c == Email }

// other is the channel that a practice's fallback turns to.
func (c Channel) other() Channel {
	if c == SMS {
		return Email
	}
	return SMS
}
