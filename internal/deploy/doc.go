// Package deploy holds what rappel is deployed with – a systemd unit, Kubernetes
// manifests, and the guide for whoever is on call – and tests that keep them
// true to the program: variables that exist, probes that answer, times that
// leave room for each other.
//
// It has no code of its own, and nothing imports it. The Dockerfile and
// compose.yaml are checked here too, and stand at the root, where tools look for
// them.
package deploy
