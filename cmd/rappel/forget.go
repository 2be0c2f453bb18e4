package main

import (
	"errors"
	"fmt"
	"strings"

	"rappel/internal/app"
	"rappel/internal/config"
)

type forgetCommand struct {
	Client  string `help:"The client to forget." placeholder:"ID" xor:"person"`
	Contact string `help:"The contact to forget." placeholder:"ID" xor:"person"`
	Yes     bool   `help:"Do it. Without it nothing is written."`
}

// Help is the rest of what --help shows.
func (forgetCommand) Help() string {
	return `For when a person asks to be forgotten, or has left. Forget them in the practice app first: who is still there is written
to again. What rappel's own tables hold of them goes for good: addresses, names and texts of messages, also of those to others
about a client; what came with notices; replies. Ids, statuses and times stay, so that the books still close. What has yet to
go out to them, or about them, does not: it is suppressed. An opt-out stays, since it goes on binding their number or mailbox.
A client whom the practice app also has as a contact of others is forgotten as both. Backups and the main app are not touched.
To run it twice does nothing twice.

Examples:
  rappel forget --client 01900000-0000-7000-8000-000000000003          what is held of this client
  rappel forget --contact 01900000-0000-7000-8000-000000000007 --yes   forgets this contact` +
		ending("a message is being sent at this moment, or the work failed", "DATABASE_URL")
}

func (c forgetCommand) Run(e *env) error {
	switch id := c.Client + c.Contact; { // at most one of them is given
	case id == "":
		return usage{errors.New("forget whom? --client or --contact is missing")}
	case !app.ValidID(id):
		return usage{errors.New("the id is not a UUID")}
	}
	a, err := e.open(config.Database)
	if err != nil {
		return err
	}
	defer a.Close()
	traces, err := a.Forget(e.ctx, app.Person{ClientID: c.Client, ContactID: c.Contact}, !c.Yes)
	if err != nil {
		return err
	}
	for _, line := range c.lines(traces) {
		fmt.Fprintln(e.stdout, line)
	}
	if c.Yes && traces.Sending > 0 {
		fmt.Fprintln(e.stderr, "rappel: nothing was changed, since some of this is being sent at this moment: try again in a minute")
		return errFailed
	}
	c.warn(e, traces)
	return nil
}

// lines are what is held of the person, and what became of it.
func (c forgetCommand) lines(t app.Traces) []string {
	var lines []string
	for _, l := range []struct {
		count int
		what  string
	}{
		{t.To, "messages to them: address, name and text"},
		{t.About, "messages to others about them: name and text"},
		{t.Notices, "events with something about them"},
		{t.Replies, "replies of theirs: number and words"},
		{t.Unusable, "notes on their addresses"},
	} {
		if l.count > 0 {
			lines = append(lines, fmt.Sprintf("%5d  %s", l.count, l.what))
		}
	}
	if t.Open > 0 {
		lines = append(lines, fmt.Sprintf("%5d  of the messages have yet to go out, and do not: suppressed, superseded", t.Open))
	}
	if t.OptOuts > 0 {
		lines = append(lines, fmt.Sprintf("%5d  opt-outs, which stay: they go on binding their addresses", t.OptOuts))
	}
	return append(lines, c.verdict(t))
}

func (c forgetCommand) verdict(t app.Traces) string {
	switch {
	case t.None():
		return "There is nothing to forget."
	case !c.Yes:
		return "Nothing was written: --yes forgets it."
	case t.Sending > 0:
		return "Nothing was forgotten."
	}
	return "Forgotten."
}

// warn says what this command cannot do.
func (c forgetCommand) warn(e *env, t app.Traces) {
	if t.Known {
		fmt.Fprintln(e.stderr, "rappel: warning: the practice app still has this person: its next event or rule leaves new traces")
	}
	if len(t.Others) > 0 {
		fmt.Fprintln(e.stderr, "rappel: warning: the addresses of contacts who were written to about them stay. They are forgotten one by one, with --contact:",
			strings.Join(t.Others, " "))
	}
}
