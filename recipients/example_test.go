package recipients_test

import (
	"fmt"

	"rappel/internal/kind"
	"rappel/recipients"
)

// A child is reminded through a parent; the parent's address prints masked.
func ExampleDecide() {
	d := recipients.Decide(recipients.Input{
		Kind:     kind.Reminder,
		Practice: recipients.Practice{Country: "US", Active: true},
		Client:   recipients.Client{ID: "tim", Method: "sms", ReceivesReminders: true},
		Contacts: []recipients.Contact{
			{ID: "mum", Position: 1, Phone: "(201) 555-0123", ReceivesReminders: true},
			{ID: "dad", Position: 2, Phone: "(201) 555-0124"},
		},
	})
	fmt.Println(d.Outcome)
	for _, c := range d.Candidates {
		fmt.Println(c.Recipient, c.ID, c.Send, c.Address, c.Reasons)
	}
	// Output:
	// notify
	// client tim false  [no_address]
	// contact mum true +1•••0123 []
	// contact dad false  [flag_off]
}
