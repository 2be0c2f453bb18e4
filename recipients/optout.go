package recipients

// OptOut is the wish of whoever has an address to hear no more on a channel. The
// loader gives the live ones of the practice, as they are stored.
type OptOut struct {
	Channel Channel
	Address string
}

// Unusable is an address that the receiver lately called invalid or a
// landline.
type Unusable struct {
	Channel Channel
	Address string
}

// Bars gives the reasons why nothing may go to an address, whoever has it. It is
// for a message that was begun to an address which its recipient may have given
// up since; [Decide] asks the same of those that they have now.
func Bars(c Channel, a Address, optOuts []OptOut, unusable []Unusable, region string) []Reason {
	j := newJudge(Input{OptOuts: optOuts, Unusable: unusable, Practice: Practice{Country: region}})
	return j.bars(c, a)
}

// A book is a set of addresses, each on its channel. A nil book is an empty one.
type book map[entry]bool

type entry struct {
	channel Channel
	key     string
}

// note enters an address as stored. One that cannot be read, such as a number
// in another country's spelling, stands for all that share its [MatchKey]: of
// two mistakes the message too few is the smaller.
func (b *book) note(c Channel, raw, region string) {
	key := MatchKey(c, raw)
	if a, err := ParseAddress(c, raw, region); err == nil {
		key = a.key()
	}
	if *b == nil { // for most there is none, and an empty map is not free
		*b = book{}
	}
	(*b)[entry{c, key}] = true
}

func (b book) has(c Channel, a Address) bool {
	return b[entry{c, a.key()}] || b[entry{c, MatchKey(c, a.Reveal())}]
}

// claim enters a, unless it is there already.
func (b book) claim(c Channel, a Address) bool {
	e := entry{c, a.key()}
	if b[e] {
		return false
	}
	b[e] = true
	return true
}
