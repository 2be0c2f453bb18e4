// Package dev is what `rappel dev` shows: throw-away services, a sample
// practice with the families that real practices have, a clock that can be
// turned on, and a stand-in for the main app, which takes every message at its
// admin endpoints and shows it on a page as its reader would see it, with who
// was not told and why. What its people answer a stand-in for the carrier
// brings to rappel's webhook.
//
// It deliberately does not know how anything is decided or delivered. It writes
// to the practice side and reports events as any main app does, and reads the
// ledger as any main app may.
package dev
