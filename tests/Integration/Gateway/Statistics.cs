namespace Signup.Tests.Integration.Gateway;

internal static class Statistics
{
    /// <summary>Welch's t: by how many standard errors two means differ.</summary>
    public static double Welch(IReadOnlyCollection<double> one, IReadOnlyCollection<double> other)
    {
        return (one.Average() - other.Average()) / Math.Sqrt(Variance(one) / one.Count + Variance(other) / other.Count);

        static double Variance(IReadOnlyCollection<double> values) => values.Sum(v => Math.Pow(v - values.Average(), 2)) / (values.Count - 1);
    }
}
