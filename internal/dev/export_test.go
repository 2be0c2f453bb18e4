package dev

// Why is what the page says of a reason.
var Why = why //nolint:gochecknoglobals // for tests only
