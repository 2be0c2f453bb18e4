package recipients

import "strings"

// channels reads a client's preferred method: the channels that it wants, in
// the order of their candidates, or the one reason why it wants none. Nothing
// is guessed: a method nobody knows is never taken for e-mail.
func channels(method string) ([]Channel, []Reason) {
	switch strings.ToLower(method) {
	case "email":
		return []Channel{Email}, nil
	case "sms":
		return []Channel{SMS}, nil
	case "both":
		return []Channel{Email, SMS}, nil
	case "none":
		return none(), []Reason{MethodNone}
	case "voice":
		return none(), []Reason{UnsupportedMethod}
	default:
		return none(), []Reason{BadMethod}
	}
}

// none is the channel of those who are judged on no channel.
func none() []Channel { return []Channel{""} }
