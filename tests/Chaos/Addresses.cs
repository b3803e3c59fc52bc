using System.Globalization;
using System.Text;

namespace Signup.Tests.Chaos;

/// <summary>A sign-up that somebody makes.</summary>
/// <param name="Number">Unique; the user name and the idempotency key say it, too.</param>
/// <param name="Address">Which of the addresses it is for, whatever its spelling: what the test knows without asking the code under test.</param>
/// <param name="Email">That address, in one of its spellings.</param>
public sealed record Attempt(int Number, int Address, string Email, string Run)
{
    public string Username => $"guest {Number}";
    public string Key => $"{Run}-{Number}";
    public string Password => $"correct horse {Number}";
}

/// <summary>Addresses of all kinds, and the ways to write each.</summary>
public sealed class Addresses(Random random)
{
    private static readonly IdnMapping Idn = new();
    private static readonly string[] Spaces = ["", "", " ", "  ", "\u00A0", "\u3000"];

    /// <summary><paramref name="spellings"/> sign-ups for each of <paramref name="count"/> addresses, shuffled.</summary>
    public IReadOnlyList<Attempt> Attempts(int count, int spellings, string run)
    {
        var attempts = Enumerable.Range(0, count * spellings).Select(n => new Attempt(n, n % count, Spell(n % count), run)).ToArray();
        random.Shuffle(attempts);
        return attempts;
    }

    private string Spell(int address)
    {
        var (local, domain) = (address % 5) switch
        {
            0 => ($"guest.{address}", "example.org"),
            1 => ($"zoé.andré+{address}", "mail.example.org"),
            2 => ($"kaspar.kiss-{address}", "bücher.example.org"),
            3 => ($"σοφίας{address}", "παράδειγμα.example.org"),
            _ => ($"ñandú_{address}", "例え.example.org"),
        };
        return $"{Space()}{Form(Case(local))}@{Domain(domain)}{Space()}";
    }

    private string Domain(string domain) => random.Next(3) switch
    {
        0 => Case(Idn.GetAscii(domain)),
        1 => Form(domain.ToUpperInvariant()),
        _ => Form(domain),
    };

    private string Space() => Spaces[random.Next(Spaces.Length)];

    /// <summary>Composed and decomposed look the same; which one a keyboard makes depends on its maker.</summary>
    private string Form(string text) => text.Normalize(random.Next(2) == 0 ? NormalizationForm.FormC : NormalizationForm.FormD);

    private string Case(string text) => random.Next(4) switch
    {
        0 => text,
        1 => text.ToUpperInvariant(),
        // Letters that differ from their like in case only, and look like it or not: ſ and s, the Kelvin sign and k, final and other sigma.
        2 => text.Replace('s', 'ſ').Replace('k', '\u212A').Replace('ς', 'σ'),
        _ => string.Concat(text.Select(c => random.Next(2) == 0 ? char.ToUpperInvariant(c) : c)),
    };
}
