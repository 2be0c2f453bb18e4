package archtest_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// module is the name of ours, before every import of our own.
const module = "rappel"

// pkg is what the rules need to know of a package. Its tests are left out.
type pkg struct {
	dir     string // within the module
	name    string
	doc     string
	imports map[string]bool // paths; ours without the module's name
	uses    map[string]bool // path.Name of what is used of other packages
}

// load reads the packages of a module, from all its files, whatever their build
// tags say.
func load(module fs.FS) (map[string]*pkg, error) {
	pkgs := map[string]*pkg{}
	err := fs.WalkDir(module, ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		src, err := fs.ReadFile(module, file)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := path.Dir(file)
		if pkgs[dir] == nil {
			pkgs[dir] = &pkg{dir: dir, name: f.Name.Name, imports: map[string]bool{}, uses: map[string]bool{}}
		}
		return pkgs[dir].add(f)
	})
	return pkgs, err
}

func (p *pkg) add(f *ast.File) error {
	if f.Doc != nil {
		p.doc = f.Doc.Text()
	}
	named := map[string]string{} // what the file calls a package, to its path
	for _, spec := range f.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return fmt.Errorf("%s: import %s: %w", p.dir, spec.Path.Value, err)
		}
		name := path.Base(importPath)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		importPath = strings.TrimPrefix(importPath, module+"/")
		named[name] = importPath
		p.imports[importPath] = true
	}
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && named[x.Name] != "" {
			p.uses[named[x.Name]+"."+sel.Sel.Name] = true
		}
		return true
	})
	return nil
}
