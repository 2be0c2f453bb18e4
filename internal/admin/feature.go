package admin

import "slices"

// A Feature is an optional part of the admin endpoints. A main app that offers it
// lists it in its health; rappel sends no field of it to one that does not.
type Feature string

// The features.
const (
	// FeatureExpiresAt is the field expires_at of a message: the latest moment at
	// which the message is of use.
	FeatureExpiresAt Feature = "expires_at"
	// FeatureHelp is the meaning "help" of a reply.
	FeatureHelp Feature = "help"
)

// Features returns the features that rappel can use, and what users miss where
// the main app does not offer them.
func Features() map[Feature]string {
	return map[Feature]string{
		FeatureExpiresAt: "your provider may deliver a message after the moment at which it is of use",
		FeatureHelp:      "replies that ask for help come with the meaning other",
	}
}

// Offers tells whether the main app listed a feature in its last health answer.
func (c *Client) Offers(f Feature) bool {
	offered := c.features.Load()
	return offered != nil && slices.Contains(*offered, f)
}
