package source

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
)

// goFile is what the searches read of a Go file.
type goFile struct {
	test     bool
	imports  []string
	literals []string
	// members are the literal first arguments of calls of methods named With that have two.
	members []string
}

// parse reads a Go file's imports, string literals (struct tags among them) and members.
func parse(name string, text []byte) (goFile, error) {
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
	if err != nil {
		return goFile{}, err
	}
	found := goFile{test: strings.HasSuffix(name, "_test.go")}
	for _, spec := range file.Imports {
		found.imports = append(found.imports, unquoted(spec.Path))
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.CallExpr:
			if member, isMember := memberOf(node); isMember {
				found.members = append(found.members, member)
			}
		case *ast.BasicLit:
			if node.Kind == token.STRING {
				found.literals = append(found.literals, unquoted(node))
			}
		}
		return true
	})
	return found, nil
}

func memberOf(call *ast.CallExpr) (string, bool) {
	method, isMethod := call.Fun.(*ast.SelectorExpr)
	if !isMethod || method.Sel.Name != "With" || len(call.Args) != 2 {
		return "", false
	}
	literal, isLiteral := call.Args[0].(*ast.BasicLit)
	if !isLiteral {
		return "", false
	}
	return unquoted(literal), true
}

func unquoted(literal *ast.BasicLit) string {
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		return literal.Value
	}
	return text
}
