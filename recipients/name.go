package recipients

// Person is the client as a template names them.
func (c Client) Person() Person { return c.party().Person }

// Name is first and last name with one blank between, as far as they are there.
func (p Person) Name() string {
	if p.FirstName == "" || p.LastName == "" {
		return p.FirstName + p.LastName
	}
	return p.FirstName + " " + p.LastName
}
