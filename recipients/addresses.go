package recipients

import "sync"

// Addresses reads addresses as [ParseAddress] does and remembers each answer:
// reading one anew for every rule and appointment of a client is what deciding
// about many would mostly do. The zero Addresses is ready for use, by many at
// once.
type Addresses struct{ known sync.Map } // spelling to answer

type spelling struct {
	channel     Channel
	raw, region string
}

type answer struct {
	address Address
	err     error
}

// Parse reads an address; a nil Addresses remembers nothing.
func (a *Addresses) Parse(c Channel, raw, region string) (Address, error) {
	if a == nil {
		return ParseAddress(c, raw, region)
	}
	s := spelling{c, raw, region}
	if known, ok := a.known.Load(s); ok {
		if is, ok := known.(answer); ok {
			return is.address, is.err
		}
	}
	address, err := ParseAddress(c, raw, region)
	a.known.Store(s, answer{address, err})
	return address, err
}
