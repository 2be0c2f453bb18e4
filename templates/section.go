package templates

// A section is one that is not closed yet.
type section struct {
	at        int // of its [If]
	jump      int // the op that jumps to its next part
	hasElse   bool
	surrounds int // the branch around it
}

func (c *compiler) openSection(at int, name string) {
	p, _ := c.known(at, name) // an unknown name still opens the section
	c.open = append(c.open, section{at: at, surrounds: c.branch, jump: c.add(op{code: opIf, name: p, at: at})})
	c.enter(c.branch)
}

func (c *compiler) elseSection(at int) {
	if len(c.open) == 0 {
		c.fail(at, "[Else] stands outside a section: there is no [If …] before it")
		return
	}
	s := &c.open[len(c.open)-1]
	if s.hasElse {
		c.fail(at, "this section has an [Else] already")
		return
	}
	jump := c.add(op{code: opElse, at: at})
	c.ops[s.jump].target = len(c.ops)
	s.jump, s.hasElse = jump, true
	c.enter(s.surrounds)
}

func (c *compiler) endSection(at int) {
	if len(c.open) == 0 {
		c.fail(at, "[End] stands outside a section: there is no [If …] before it")
		return
	}
	s := c.open[len(c.open)-1]
	c.open = c.open[:len(c.open)-1]
	end := c.add(op{code: opEnd, at: at})
	c.ops[s.jump].target = end
	c.branch = s.surrounds
}

// enter begins a new branch inside another.
func (c *compiler) enter(parent int) {
	c.parents = append(c.parents, parent)
	c.branch = len(c.parents)
}

// bareTimes takes the zone off every time that shares its branch, or one
// around it, with [AppointmentTimeZone]: otherwise it would be written twice.
func (c *compiler) bareTimes() {
	zoned := make([]bool, 1+len(c.parents))
	for _, o := range c.ops {
		if o.code == opValue && o.name == appointmentTimeZone {
			zoned[o.branch] = true
		}
	}
	for i, parent := range c.parents { // a branch comes after the one around it
		zoned[i+1] = zoned[i+1] || zoned[parent]
	}
	for i, o := range c.ops {
		if o.code == opValue && zoned[o.branch] {
			c.ops[i].name = o.name.bare()
		}
	}
}
