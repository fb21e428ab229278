package language

import "testing"

func TestGuessOnShortPosts(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Road closed at Main St. and 5th until 6 pm. Please use Shaver instead.", "en"},
		{"La calle Main está cerrada hasta las 6 p. m.", "es"},
		{"¿A qué hora abren?", "es"},
		{"Thank you officers!", "en"},
		{"Gracias a todos", "es"},
		{"HOLA  como hago para una asesoría ", "es"},
		{"Wow that's great thank you very much", "en"},
		{"This is really nice", "en"},
		{"Happy 4th of July", "en"},
		{"how can i get invited to the Commerce Manager api ?", "en"},
		{"Se busca: perro perdido cerca del parque", "es"},
		{"❤️❤️❤️", ""},
		{"", ""},
		{"no", ""},
		{"LPD-26-000123", ""},
		{"我测试一下", ""},
	} {
		if got := Guess(c.text); got != c.want {
			t.Errorf("Guess(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}
