// Package templates is what people read: the placeholder language of message
// templates, their rendering as SMS and e-mail, the measure of an SMS, dates
// and times as each language writes them, the built-in texts, and the choice
// among the variants of one text.
//
// It is pure. It knows no clock (times come in with [Facts]), no database, no
// queue and no provider, and it decides neither who reads a message nor when.
//
// # The language
//
//	[RecipientFirstName]              a value; letters and digits, in any case
//	[RecipientFirstName|there]        the words, where there is no value
//	[If TelehealthLink]…[End]         a clause, kept only where there is a value
//	[If ManageLink]…[Else]…[End]      one clause or the other; sections nest
//	[[                                one opening bracket
//	[bring your card]                 plain text, because a name has no blanks
//
// Rendering is one pass: what a placeholder brings in is never read as a
// template again. A value that is missing takes the blank beside it along
// ("Hi [RecipientFirstName], …" becomes "Hi, …"), and a line that held only
// sections or missing values goes with its line break, so that a clause left
// out leaves neither a stray blank nor a hole in the page.
package templates
