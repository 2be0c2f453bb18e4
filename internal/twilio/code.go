package twilio

import (
	"net/http"
	"strconv"

	"rappel/jobs/deliver"
)

// meaning says what one of Twilio's codes comes to, and its word in deliver's
// terms where it says something about the address. A zero verdict: the code
// alone does not tell. Source: "Twilio: Error and Warning Dictionary".
func meaning(code int) (deliver.Verdict, string) {
	switch code {
	case 21610: // the person wrote STOP
		return deliver.Refused, deliver.CodeOptedOut
	case 21211, 21614, 30005: // not a number; not a mobile number; no such handset
		return deliver.Refused, deliver.CodeInvalidAddress
	case 21635, 30006: // a landline; a landline, or a carrier out of reach
		return deliver.Refused, deliver.CodeLandline
	case 30001, 30003, 30500, 20503: // queue overflow; handset out of reach; Twilio's own failure; Twilio is unavailable
		return deliver.Later, ""
	case 20429, 14107, 21611: // too many requests; too fast; the sender's queue is full
		return deliver.Busy, ""
	case 21212, 21408, 21606, 21608, 21612, 21659: // our sender, or our account, does not reach this destination
		return deliver.Refused, ""
	case 20003, 20005, 20006, 20404, // who we say we are is not known, not active, not allowed, not there
		21603, 21660, 21661, 21701, // no sender; not our sender; one without SMS; no such messaging service
		21609,               // no status callback at that URL
		30002,               // the account is suspended
		30022, 30023, 30024, // A2P 10DLC: over the rate, over the daily limit, the sender is not yet active
		30032, 30033, 30034, 30035: // unverified toll-free number; A2P 10DLC: suspended campaign, unregistered number, not ready yet
		return deliver.Misconfigured, ""
	}
	return 0, ""
}

// AccountCodes returns the codes of a status callback that are about our account
// or sender, and so about every message: a person has to act.
func AccountCodes() []string {
	var all []string
	for code := firstCallbackCode; code <= lastCallbackCode; code++ {
		if s := strconv.Itoa(code); IsAccountCode(s) {
			all = append(all, s)
		}
	}
	return all
}

// IsAccountCode reports whether a code is one of [AccountCodes].
func IsAccountCode(code string) bool {
	n, err := strconv.Atoi(code)
	if err != nil || n < firstCallbackCode || n > lastCallbackCode {
		return false
	}
	verdict, _ := meaning(n)
	return verdict == deliver.Misconfigured
}

// The range of the codes that status callbacks have.
const firstCallbackCode, lastCallbackCode = 30000, 30999

// expired is Twilio's code for a message whose ValidityPeriod was over before it
// could be sent.
const expired = 30036

// byStatus says what a status comes to when no code tells. Redirects are not
// followed; a POST that was sent elsewhere was not acted upon. A 503 says that
// the request was not taken; any other 5xx leaves that open.
func byStatus(status int) deliver.Verdict {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed:
		return deliver.Misconfigured
	case http.StatusTooManyRequests:
		return deliver.Busy
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect,
		http.StatusConflict, http.StatusTooEarly, http.StatusServiceUnavailable:
		return deliver.Later
	case http.StatusRequestTimeout:
		return deliver.Unanswered
	}
	if status >= 400 && status < 500 {
		return deliver.Refused
	}
	return deliver.Unanswered
}
