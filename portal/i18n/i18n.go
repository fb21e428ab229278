// Package i18n holds every sentence the portal says to people, in every
// language it speaks, and the ways dates, times and numbers are written.
//
// Catalogues are YAML files named area.language.yaml (public.en.yaml), one per
// area and language, embedded in the program. A message is either a sentence or
// its plural forms (one, other). Sentences may use Go template fields that the
// caller passes. Both languages hold exactly the same ids; a test keeps it so,
// and finds ids that are missing or that nothing uses.
package i18n

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"gopkg.in/yaml.v3"
)

//go:embed *.yaml
var files embed.FS

// Languages are the languages the portal speaks, the first being the one it
// falls back on.
var Languages = []string{"en", "es"}

// Data carries the values of a message's fields.
type Data map[string]any

var (
	localizers = map[string]*i18n.Localizer{}
	printers   = map[string]*message.Printer{}
	matcher    language.Matcher
)

func init() {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("yaml", yaml.Unmarshal)
	list, err := files.ReadDir(".")
	if err != nil {
		panic("i18n: " + err.Error()) // embedded, so always readable
	}
	for _, f := range list {
		if _, err := bundle.LoadMessageFileFS(files, f.Name()); err != nil {
			panic("i18n: " + f.Name() + ": " + err.Error())
		}
	}
	var tags []language.Tag
	for _, l := range Languages {
		tag := language.MustParse(l)
		tags = append(tags, tag)
		localizers[l] = i18n.NewLocalizer(bundle, l)
		// Spanish as written in the United States groups digits with commas.
		printers[l] = message.NewPrinter(language.MustParse(l + "-US"))
	}
	matcher = language.NewMatcher(tags)
}

// T gives the sentence of an id in a language. Values for its fields follow
// either as one Data or as alternating names and values; a value named Count
// chooses the plural form and is written with the language's digit grouping. An
// id that does not exist is given back itself, so that a page never breaks.
func T(lang, id string, args ...any) string {
	data := Data{}
	if len(args) == 1 {
		switch d := args[0].(type) {
		case Data:
			for k, v := range d {
				data[k] = v
			}
		case map[string]any:
			for k, v := range d {
				data[k] = v
			}
		}
	}
	for i := 0; i+1 < len(args); i += 2 {
		if k, ok := args[i].(string); ok {
			data[k] = args[i+1]
		}
	}
	cfg := &i18n.LocalizeConfig{MessageID: id, TemplateData: data}
	switch n := data["Count"].(type) {
	case int:
		cfg.PluralCount, data["Count"] = n, Number(lang, int64(n))
	case int64:
		cfg.PluralCount, data["Count"] = n, Number(lang, n)
	}
	s, err := localizer(lang).Localize(cfg)
	if err != nil && s == "" {
		return id
	}
	return s
}

// Has reports whether an id exists.
func Has(id string) bool {
	_, err := localizer(Languages[0]).Localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: Data{}})
	return err == nil
}

// Number writes a whole number with the language's digit grouping.
func Number(lang string, n int64) string {
	p, ok := printers[lang]
	if !ok {
		p = printers[Languages[0]]
	}
	return p.Sprintf("%d", n)
}

// Bytes writes a size the way people read sizes: 412 KB, 1.3 MB.
func Bytes(lang string, n int64) string {
	switch {
	case n < 1000:
		return T(lang, "size.bytes", "Count", n)
	case n < 1000_000:
		return fmt.Sprintf("%d KB", (n+500)/1000)
	case n < 1000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// Dollars writes an amount given in millionths of a US dollar: $1.25. What is
// less than a cent is written with four digits.
func Dollars(lang string, millionths int64) string {
	amount := fmt.Sprintf("%.2f", float64(millionths)/1e6)
	if millionths > 0 && millionths < 10_000 {
		amount = fmt.Sprintf("%.4f", float64(millionths)/1e6)
	}
	return T(lang, "money.dollars", "Amount", amount)
}

// Known reports whether the portal speaks a language.
func Known(lang string) bool { return slices.Contains(Languages, lang) }

// Choose picks the language for a reader: the one asked for when we speak it,
// else the best match of an Accept-Language header, else the first.
func Choose(asked, acceptLanguage string) string {
	if Known(asked) {
		return asked
	}
	prefs, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(prefs) == 0 {
		return Languages[0] // a header nobody can read is the same as none
	}
	_, i, confidence := matcher.Match(prefs...)
	if confidence == language.No {
		return Languages[0]
	}
	return Languages[i]
}

func localizer(lang string) *i18n.Localizer {
	if l, ok := localizers[lang]; ok {
		return l
	}
	if base, _, found := strings.Cut(lang, "-"); found {
		return localizer(base)
	}
	return localizers[Languages[0]]
}
