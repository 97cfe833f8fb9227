package statements

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"strings"
)

// statement is how each of ours begins, after comments.
var statement = regexp.MustCompile(`^(--[^\n]*\n\s*)*(SELECT\s|INSERT INTO\s|UPDATE\s|DELETE FROM\s|WITH\s+(RECURSIVE\s+)?[a-z_]+(\s*\([a-z_, ]+\))? AS\s)`)

// senders are the methods of pgx and sqldb that send, with the place of the statement among their arguments.
var senders = map[string]int{"Exec": 1, "Query": 1, "QueryRow": 1, "Queue": 0}

// reader walks one file.
type reader struct {
	place  string
	set    *token.FileSet
	values map[ast.Expr]types.TypeAndValue
	sends  bool

	path       []ast.Node // from the file to the node at hand
	statements []Statement
	sites      []Site
}

func (r *reader) visit(node ast.Node) bool {
	if node == nil {
		r.path = r.path[:len(r.path)-1]
		return true
	}
	if call, ok := node.(*ast.CallExpr); ok && r.sends {
		r.judgeCall(call)
	}
	if expression, ok := node.(ast.Expr); ok {
		if text, whole := r.constant(expression); whole {
			if statement.MatchString(text) && !r.isPiece() {
				file, line := r.at(node)
				r.statements = append(r.statements, Statement{r.place, file, line, text})
			}
			return false // what it is made of is no statement of its own; without a push there is no pop
		}
	}
	if declaration, ok := node.(*ast.GenDecl); ok && declaration.Tok == token.CONST {
		return false // a constant is sent where it is used
	}
	r.path = append(r.path, node)
	return true
}

// constant gives a string that the compiler knows, without the space around it.
func (r *reader) constant(expression ast.Expr) (string, bool) {
	value := r.values[expression].Value
	if value == nil || value.Kind() != constant.String {
		return "", false
	}
	return strings.TrimSpace(constant.StringVal(value)), true
}

// isPiece says that the node at hand, a constant, is a part of something that only run time puts together.
func (r *reader) isPiece() bool {
	switch parent := r.path[len(r.path)-1].(type) {
	case *ast.BinaryExpr:
		return true
	case *ast.CallExpr:
		selector, ok := parent.Fun.(*ast.SelectorExpr)
		return ok && (selector.Sel.Name == "Sprintf" || selector.Sel.Name == "WriteString")
	}
	return false
}

// judgeCall notes a call that sends what is no constant.
func (r *reader) judgeCall(call *ast.CallExpr) {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	place, sends := senders[selector.Sel.Name]
	if _, answers := selector.X.(*ast.CallExpr); !sends || answers || len(call.Args) <= place { // batch.Queue(…).Query(…) takes an answer
		return
	}
	if first, ok := call.Args[0].(*ast.Ident); (ok && first.Name == "ctx") == (place == 0) { // a Queue that takes a context is not a batch's
		return
	}
	if _, whole := r.constant(call.Args[place]); whole {
		return
	}
	file, line := r.at(call)
	r.sites = append(r.sites, Site{r.place, file, line, types.ExprString(call.Args[place])})
}

func (r *reader) at(node ast.Node) (file string, line int) {
	position := r.set.Position(node.Pos())
	return filepath.Base(position.Filename), position.Line
}
