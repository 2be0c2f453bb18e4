package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"rappel/internal/app"
	"rappel/internal/config"
)

type previewCommand struct {
	Template    string `required:"" help:"Name of the template: a kind such as appointment.reminder, or one that a rule uses." placeholder:"NAME"`
	Channel     string `required:"" enum:"sms,email" help:"sms or email." placeholder:"CHANNEL"`
	Appointment string `help:"Render it for this appointment; otherwise for a sample one." placeholder:"ID"`
	Recipient   string `help:"As this client or contact of the appointment reads it; otherwise as the client does." placeholder:"ID"`
	As          string `default:"client" enum:"client,contact" help:"Without an appointment: as the sample client reads it, or as a contact of theirs." placeholder:"client|contact"`
	Data        string `help:"Data of a notice, as a JSON object of texts and numbers." placeholder:"JSON"`
	JSON        bool   `help:"One JSON object on one line." name:"json"`
}

// Help is the rest of what --help shows.
func (previewCommand) Help() string {
	return `Before a text goes live: what a person will read, and what an SMS costs. Without ids it is written for a sample person.
Nothing is sent.

Examples:
  rappel preview --template appointment.reminder --channel sms
  rappel preview --template invoice.issued --channel email --as contact
  rappel preview --template form.sent --channel email --data '{"form_name":"Intake","form_link":"https://example.com/f"}'` +
		ending("the template is wrong, or the work failed", "DATABASE_URL")
}

func (c previewCommand) Run(e *env) error {
	request, err := c.request()
	if err != nil {
		return usage{err}
	}
	a, err := e.open(config.Database)
	if err != nil {
		return err
	}
	defer a.Close()
	p, err := a.Preview(e.ctx, request)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(asJSON(p))
	}
	return c.print(e, p)
}

// request is what is asked for, or every mistake in it.
func (c previewCommand) request() (app.PreviewRequest, error) {
	const asContact = "contact"
	var mistakes []error
	mistaken := func(words string) { mistakes = append(mistakes, errors.New(words)) }
	r := app.PreviewRequest{
		Template: c.Template, Channel: c.Channel, AppointmentID: c.Appointment, RecipientID: c.Recipient, AsContact: c.As == asContact,
	}
	var readable bool
	if r.Data, readable = app.NoticeData(c.Data); c.Data != "" && !readable {
		mistaken("--data is not a JSON object of texts and numbers")
	}
	if c.Appointment != "" && !app.ValidID(c.Appointment) {
		mistaken("--appointment is not a UUID")
	}
	if c.Recipient != "" && !app.ValidID(c.Recipient) {
		mistaken("--recipient is not a UUID")
	}
	if c.Recipient != "" && c.Appointment == "" {
		mistaken("--recipient needs --appointment, whose client or contact reads the text; for a made-up contact use --as contact")
	}
	if c.As == asContact && c.Appointment != "" {
		mistaken("--as contact is for a made-up person: with --appointment, name the contact by --recipient")
	}
	return r, errors.Join(mistakes...)
}

// A previewJSON has null for what a channel lacks.
type previewJSON struct {
	Subject  *string `json:"subject"`
	Text     string  `json:"text"`
	HTML     *string `json:"html"`
	Encoding *string `json:"encoding"`
	Units    *int    `json:"units"`
	Segments *int    `json:"segments"`
}

func asJSON(p app.Preview) previewJSON {
	if p.Size.Encoding == "" {
		return previewJSON{Subject: &p.Subject, Text: p.Text, HTML: &p.HTML}
	}
	return previewJSON{Text: p.Text, Encoding: &p.Size.Encoding, Units: &p.Size.Units, Segments: &p.Size.Segments}
}

func (previewCommand) print(e *env, p app.Preview) error {
	if p.Size.Encoding == "" {
		_, err := fmt.Fprintf(e.stdout, "Subject: %s\n\n%s\n", p.Subject, p.Text)
		return err
	}
	_, err := fmt.Fprintf(e.stdout, "%s\n\n%s, %d units, segments: %d\n", p.Text, p.Size.Encoding, p.Size.Units, p.Size.Segments)
	return err
}
