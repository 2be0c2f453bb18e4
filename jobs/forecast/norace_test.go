//go:build !race

package forecast_test

const raceDetector = false
