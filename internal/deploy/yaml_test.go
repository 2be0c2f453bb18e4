package deploy_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A node is a part of a document.
type node struct{ value any }

// at goes down a path; what is not there is an empty node.
func (n node) at(path string) node {
	for step := range strings.SplitSeq(path, "/") {
		m, _ := n.value.(map[string]any)
		n = node{m[step]}
	}
	return n
}

func (n node) list() (all []node) {
	items, _ := n.value.([]any)
	for _, item := range items {
		all = append(all, node{item})
	}
	return all
}

func (n node) text() string {
	s, _ := n.value.(string)
	return s
}

func (n node) number() int {
	i, _ := n.value.(int)
	return i
}

func (n node) keys() (all []string) {
	m, _ := n.value.(map[string]any)
	for k := range m {
		all = append(all, k)
	}
	return all
}

// documents reads all documents of a file; a key that is there twice is an
// error.
func documents(t *testing.T, path string) (all []node) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(file))
	for {
		var v any
		err := decoder.Decode(&v)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, node{v})
	}
}

// manifests are all objects for Kubernetes, by kind and name.
func manifests(t *testing.T) map[string]node {
	t.Helper()
	files, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no manifests: ", err)
	}
	all := map[string]node{}
	for _, file := range append(files, "secrets.example.yaml") {
		for _, d := range documents(t, file) {
			name := d.at("kind").text() + " " + d.at("metadata/name").text()
			if _, twice := all[name]; twice {
				t.Errorf("%s is there twice", name)
			}
			all[name] = d
		}
	}
	return all
}
