package main

import (
	"errors"
	"regexp"
	"strings"
)

// command is a command line as a document has it.
type command struct {
	File string
	Line int
	Text string
	// Block is the heading above the fenced block that the line is in, "" for inline code.
	Block string
	// Words are the command's, with the program's path left out: "bin/meridian" is "meridian".
	Words simple
}

// block is a fenced shell block.
type block struct {
	File, Heading string
	Line          int // of its first line
	Text          string
}

// programs are those whose inline code is a command.
var programs = map[string]bool{
	"make": true, "meridian": true, "go": true, "bash": true, "curl": true, "k6": true, "terraform": true, "tofu": true,
	"docker": true, ".ci/run": true,
}

// shellWords are programs that a block may use beside ours. They are not checked.
var shellWords = map[string]bool{"export": true, "sed": true, "tr": true, "stat": true, "split": true}

var (
	inlineCode  = regexp.MustCompile("`([^`]+)`")
	optional    = regexp.MustCompile(`\[(-[^\]]*)\]`)
	placeholder = regexp.MustCompile(`<([a-z-]+)>`)
	testName    = regexp.MustCompile(`^(Test|Fuzz)[A-Z]\w+$`)
	spaces      = regexp.MustCompile(`\s+`)
)

// parseMarkdown returns a document's shell blocks and its command lines: those of the blocks, and inline code that
// begins with one of programs, or names a test.
func parseMarkdown(file, text string) ([]block, []command, error) {
	var blocks []block
	var commands []command
	var prose []string // the document's lines with the blocks' blanked
	heading, fence, shell := "", false, false
	for i, line := range strings.Split(text, "\n") {
		opening, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence:
			fence = !fence
			shell = fence && (opening == "sh" || opening == "bash" || opening == "shell")
			if shell {
				blocks = append(blocks, block{File: file, Heading: heading, Line: i + 2})
			}
		case shell:
			blocks[len(blocks)-1].Text += line + "\n"
		case !fence && strings.HasPrefix(line, "#"):
			heading = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
		if isFence || fence {
			line = ""
		}
		prose = append(prose, line)
	}
	for _, b := range blocks {
		found, err := b.commands()
		if err != nil {
			return nil, nil, err
		}
		commands = append(commands, found...)
	}
	inline, err := inlineCommands(file, strings.Join(prose, "\n"))
	return blocks, append(commands, inline...), err
}

func (b block) commands() ([]command, error) {
	var commands []command
	line, begun := "", 0
	parts := strings.Split(b.Text, "\n")
	for i, part := range parts {
		if line == "" {
			begun = b.Line + i
		}
		if before, continued := strings.CutSuffix(part, `\`); continued {
			line += before + " "
			continue
		}
		line += part
		found, err := commandsOf(command{File: b.File, Line: begun, Text: line, Block: b.Heading})
		if errors.Is(err, errOpen) && i < len(parts)-1 {
			line += "\n"
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			c.Text = spaces.ReplaceAllString(c.Text, " ")
			if !shellWords[c.Words[0]] {
				commands = append(commands, c)
			}
		}
		line = ""
	}
	return commands, nil
}

func inlineCommands(file, prose string) ([]command, error) {
	var commands []command
	for _, at := range inlineCode.FindAllStringSubmatchIndex(prose, -1) {
		span := spaces.ReplaceAllString(prose[at[2]:at[3]], " ")
		if strings.Contains(prose[at[2]:at[3]], "\n\n") {
			continue // a backtick without its partner
		}
		span = strings.ReplaceAll(span, `\|`, "|") // in a table
		if testName.MatchString(span) {
			span = "go test -run ^" + span + "$ ./..."
		}
		span = placeholder.ReplaceAllString(optional.ReplaceAllString(span, "$1"), "$1")
		if first := strings.Fields(span); len(first) == 0 || !programs[program(first[0])] && !isAssignment(first[0]) {
			continue
		}
		line := 1 + strings.Count(prose[:at[2]], "\n")
		for _, variant := range alternatives(span) {
			found, err := commandsOf(command{File: file, Line: line, Text: variant})
			if err != nil {
				return nil, err
			}
			for _, c := range found {
				if programs[c.Words[0]] {
					commands = append(commands, c)
				}
			}
		}
	}
	return commands, nil
}

// alternatives expands "start|stop NAME" to "start NAME" and "stop NAME". A pipe has spaces around it.
func alternatives(span string) []string {
	words := strings.Split(span, " ")
	for i, word := range words {
		if choices := strings.Split(word, "|"); len(choices) > 1 && word != "|" && !strings.ContainsAny(word, `'"`) {
			var all []string
			for _, choice := range choices {
				rest := append(append(append([]string{}, words[:i]...), choice), words[i+1:]...)
				all = append(all, alternatives(strings.Join(rest, " "))...)
			}
			return all
		}
	}
	return []string{span}
}

// commandsOf splits a line into its simple commands.
func commandsOf(line command) ([]command, error) {
	parsed, err := parseShell(line.Text)
	if err != nil {
		return nil, &located{line, err}
	}
	var commands []command
	for _, words := range parsed {
		c := line
		c.Words = words
		c.Words[0] = program(words[0])
		commands = append(commands, c)
	}
	return commands, nil
}

// program returns a program's name as programs has it.
func program(word string) string { return strings.TrimPrefix(word, "bin/") }
