// Command pack writes the zones of a zoneinfo directory as a zip file, the same
// bytes for the same release. It does not know where they come from: see make
// zoneinfo.
package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: pack DIRECTORY > FILE.zip")
		os.Exit(2)
	}
	if err := pack(os.Stdout, os.DirFS(os.Args[1])); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func pack(out io.Writer, files fs.FS) error {
	index, err := fs.ReadFile(files, "tzdata.zi")
	if err != nil {
		return err
	}
	line, _, _ := bytes.Cut(index, []byte("\n"))
	version := bytes.TrimPrefix(line, []byte("# version "))

	archive := zip.NewWriter(out)
	add := func(name string, content []byte) error {
		w, err := archive.Create(name)
		if err == nil {
			_, err = w.Write(content)
		}
		return err
	}
	if err := add("+VERSION", append(version, '\n')); err != nil {
		return err
	}
	err = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == "posix", name == "right": // the same zones, and those with leap seconds
			return fs.SkipDir
		case entry.IsDir(), name == "localtime", name == "posixrules", name == "Factory":
			return nil
		}
		content, err := fs.ReadFile(files, name)
		if err != nil || !bytes.HasPrefix(content, []byte("TZif")) {
			return err
		}
		return add(name, content)
	})
	if err != nil {
		return err
	}
	return archive.Close()
}
