package recipients

import "slices"

// A judge makes one decision: it knows what holds for all parties, and
// remembers who was told already.
type judge struct {
	wanted   []Channel // by the client's method
	standing []Reason  // what speaks against telling anybody
	fallback bool      // where one channel is wanted: both leave no other
	region   string
	read     *Addresses
	optedOut book
	unusable book
	told     book
	takes    Takes
}

func newJudge(in Input) judge {
	wanted, methodReasons := channels(in.Client.Method)
	j := judge{
		wanted:   wanted,
		standing: union(in.Against, methodReasons, in.standing()),
		fallback: in.Practice.ChannelFallback && len(wanted) == 1 && wanted[0].Valid(),
		region:   in.Practice.Country,
		read:     in.Addresses,
		told:     book{},
		takes:    in.Takes,
	}
	for _, o := range in.OptOuts {
		j.optedOut.note(o.Channel, o.Address, j.region)
	}
	for _, u := range in.Unusable {
		j.unusable.note(u.Channel, u.Address, j.region)
	}
	return j
}

// standing is what the practice, the client and the appointment's switch say
// against telling anybody.
func (in Input) standing() []Reason {
	return slices.Concat(
		when(in.Client.DoNotContact, DoNotContact),
		when(in.Client.Archived, ClientArchived),
		when(!in.Practice.Active, PracticeInactive),
		when(in.NotifyOff && isConfirmation(in.Kind), NotifyOff),
	)
}

// candidate judges p on the wanted channel c, and where p's address there is
// what fails, on the channel that the practice falls back to.
func (j judge) candidate(p party, c Channel) Candidate {
	address, reasons := j.try(p, c)
	if j.fallback && slices.ContainsFunc(reasons, Reason.ofAddress) {
		second, more := j.try(p, c.other())
		if len(more) == 0 {
			address, c, reasons = second, c.other(), nil
		}
		reasons = union(reasons, more)
	}
	return Candidate{
		Recipient: p.role, ID: p.id, Channel: c, Address: address,
		Send: len(reasons) == 0, Reasons: reasons, Person: p.Person,
	}
}

// try claims p's address on c, or gives every reason why p is not told there.
func (j judge) try(p party, c Channel) (Address, []Reason) {
	address, reasons := j.address(p, c)
	reasons = union(j.standing, p.against, reasons)
	switch {
	case len(reasons) > 0:
		return Address{}, reasons
	case (j.takes == nil || j.takes(p.role, p.id, c)) && !j.told.claim(c, address):
		return Address{}, []Reason{Duplicate}
	default:
		return address, nil
	}
}

// address gives p's address on c and what is wrong with it. Where there is no
// channel, or nothing is known of p, addresses are not judged.
func (j judge) address(p party, c Channel) (Address, []Reason) {
	if c == "" || p.stranger {
		return Address{}, nil
	}
	raw := p.address(c)
	if raw == "" {
		return Address{}, []Reason{NoAddress}
	}
	a, err := j.read.Parse(c, raw, j.region)
	if err != nil {
		return Address{}, []Reason{InvalidAddress}
	}
	return a, j.bars(c, a)
}

// bars is what was said about an address itself.
func (j judge) bars(c Channel, a Address) []Reason {
	return slices.Concat(
		when(j.unusable.has(c, a), InvalidAddress),
		when(j.optedOut.has(c, a), OptedOut),
	)
}

// outcome sums up. One contact's wish not to be contacted does not hide that
// somebody else only lacks an address.
func (j judge) outcome(candidates []Candidate) Outcome {
	switch {
	case slices.ContainsFunc(candidates, isSent):
		return Notify
	case len(j.standing) > 0:
		return Skipped
	case slices.ContainsFunc(candidates, lacksOnlyAddress):
		return Unreachable
	case slices.ContainsFunc(candidates, isBarred):
		return Skipped
	default:
		return Silenced
	}
}

func isSent(c Candidate) bool { return c.Send }

func lacksOnlyAddress(c Candidate) bool {
	return !slices.ContainsFunc(c.Reasons, func(r Reason) bool { return !r.ofAddress() })
}

func isBarred(c Candidate) bool {
	return slices.Contains(c.Reasons, DoNotContact) && !slices.Contains(c.Reasons, FlagOff)
}
