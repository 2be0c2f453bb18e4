//go:build race

package forecast_test

// raceDetector tells whether the tests run several times slower than usual.
const raceDetector = true
