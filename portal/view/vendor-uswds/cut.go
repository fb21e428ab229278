package main

import (
	"path"
	"regexp"
	"strings"
)

// dropped are the beginnings of selectors we never use: components that need
// script or that no page has.
var dropped = []string{
	".usa-date-picker", ".usa-date-range", ".usa-combo-box", ".usa-time-picker", ".usa-modal", ".usa-tooltip",
	".usa-range", ".usa-hero", ".usa-megamenu", ".usa-input-mask", ".usa-embed", ".usa-banner", ".usa-nav",
	".usa-menu", ".usa-header", ".usa-footer", ".usa-card", ".usa-identifier", ".usa-graphic", ".usa-file-input", ".usa-password",
	".usa-in-page", ".usa-sidenav", ".usa-site-alert", ".usa-social", ".usa-overlay", ".usa-media-block", ".usa-language",
	".usa-accordion", ".usa-checklist", ".usa-character-count", ".usa-dark-background", ".usa-js", ".usa-layout-docs", ".usa-icon-list",
	".usa-sign", ".usa-section--dark", ".usa-breadcrumb--wrap", ".usa-display", ".usa-logo", ".usa-title", ".usa-map", ".usa-validation",
	".border-", ".bg-", ".width-", ".circle-", ".square-", ".z-", ".order-", ".opacity-", ".shadow-", ".radius-", ".outline-",
	".text-indent", ".measure-", ".line-height", ".font-family", ".pin-", ".top-", ".left-", ".right-", ".bottom-", ".height-",
	".maxw-", ".minw-", ".maxh-", ".minh-", ".float-", ".cursor-", ".underline", ".add-", ".hover", ".focus", ".visited", ".active",
	".text-mint", ".text-gold", ".text-indigo", ".text-violet", ".text-magenta", ".text-orange", ".text-cyan", ".text-green",
	".font-mono", ".font-serif", ".font-code", ".font-alt", ".font-ui", ".text-ls", ".text-tabular", ".order", ".offset-",
}

var (
	reURL     = regexp.MustCompile(`url\(\.\./((?:img|fonts)/[^)]*)\)`)
	reVariant = regexp.MustCompile(`^\.(?:card|mobile|tablet|desktop|widescreen|print|hover|focus|active|visited)[a-z-]*\\:`)
)

// cut leaves out the rules we cannot use and gives the pictures the rest needs.
func cut(css string) (string, map[string]string) {
	var b strings.Builder
	for _, rule := range split(css) {
		b.WriteString(keep(rule))
	}
	pictures := map[string]string{}
	out := reURL.ReplaceAllStringFunc(b.String(), func(s string) string {
		from := "dist/" + reURL.FindStringSubmatch(s)[1]
		name := strings.TrimPrefix(strings.TrimPrefix(path.Base(from), "Latin-"), "source")
		if strings.Contains(from, "/usa-icons-bg/") {
			name = "bg-" + name
		}
		pictures[from] = name
		return "url(" + name + ")"
	})
	return strings.ReplaceAll(out, "Source Sans Pro Web", "Public Sans Web"), pictures
}

// keep gives what remains of one top-level rule.
func keep(rule string) string {
	head, inner, ok := strings.Cut(rule, "{")
	if !ok {
		return rule // @charset and its like
	}
	inner = strings.TrimSuffix(inner, "}")
	switch {
	case strings.HasPrefix(head, "@font-face"):
		return "" // our own style sheet names the three we serve
	case strings.HasPrefix(head, "@media"), strings.HasPrefix(head, "@supports"):
		var b strings.Builder
		for _, r := range split(inner) {
			b.WriteString(keep(r))
		}
		if b.Len() == 0 {
			return ""
		}
		return head + "{" + b.String() + "}"
	case strings.HasPrefix(head, "@"):
		return rule
	}
	var selectors []string
	for _, s := range list(head) {
		if !unused(strings.TrimSpace(s)) {
			selectors = append(selectors, s)
		}
	}
	if len(selectors) == 0 {
		return ""
	}
	return strings.Join(selectors, ",") + "{" + inner + "}"
}

func unused(selector string) bool {
	if reVariant.MatchString(selector) {
		return !strings.Contains(selector, `\:grid-col`)
	}
	for _, d := range dropped {
		if strings.Contains(selector, d) {
			return true
		}
	}
	return false
}

// split cuts a style sheet into its top-level rules.
func split(css string) []string {
	var rules []string
	depth, start := 0, 0
	for i := range len(css) {
		switch css[i] {
		case '{':
			depth++
		case '}':
			depth--
			if depth == 0 {
				rules = append(rules, css[start:i+1])
				start = i + 1
			}
		case ';':
			if depth == 0 {
				rules = append(rules, css[start:i+1])
				start = i + 1
			}
		}
	}
	return rules
}

// list cuts a selector list at its top-level commas.
func list(selectors string) []string {
	var out []string
	depth, start := 0, 0
	for i := range len(selectors) {
		switch selectors[i] {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, selectors[start:i])
				start = i + 1
			}
		}
	}
	return append(out, selectors[start:])
}
