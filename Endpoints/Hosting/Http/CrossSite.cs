using Microsoft.AspNetCore.Http;

namespace Signup.Hosting.Http;

public static class CrossSite
{
    /// <summary>Whether another site's page has sent it. Browsers say so of each request (Fetch Metadata), and scripts of other sites cannot change that; what says nothing is no such browser.</summary>
    public static bool IsFromAnotherSite(this HttpRequest request) => request.Headers["Sec-Fetch-Site"] == "cross-site";
}
