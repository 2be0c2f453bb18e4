package main

import "strings"

// about is what --help says of the whole.
const about = `Tells people around appointments what they need to hear, once.

To look around, and to run it:
  rappel dev
  rappel migrate && rappel check && rappel run

Configuration comes from the environment alone: the README has every variable, and each command's --help those it needs. A
secret NAME may also stand in the file that NAME_FILE names.

Exit codes: 0 done; 1 a check or the work failed; 2 the command line or the configuration is wrong.`

// What several commands say of themselves.
const (
	needsAll = "DATABASE_URL, REDIS_URL; RAPPEL_ADMIN_URL and RAPPEL_ADMIN_TOKEN, or those of Twilio and SendGrid where messages go by them"
	stopped  = "it could not start, or was stopped before its work was done"
)

// ending is how each command's help ends: the exit codes, with what 1 means
// here, and the variables of the environment without which it does nothing.
func ending(failure, needs string) string {
	return strings.Join([]string{
		"",
		"Exit codes: 0 done; 1 " + failure + "; 2 the command line or the configuration is wrong.",
		"Needs: " + needs + ".",
	}, "\n\n")
}
