using Npgsql;
using Signup.EventLog;
using Signup.Hosting.Following;
using Signup.Hosting.Http;
using Signup.Hosting.Operations;
using Signup.Query.Accounts;
using Signup.Query.Log;
using Signup.Query.Pages;
using Signup.Query.Projection;
using Signup.Query.Questions;

namespace Signup.Query;

/// <summary>What Query consists of.</summary>
public static class QueryServices
{
    public static void AddQuery(this IServiceCollection services)
    {
        services.AddProjection<ReadModel>("read-model", EventTypes.All);
        services.AddSingleton(s => new Catalogue(s.GetRequiredService<NpgsqlDataSource>(), s.GetRequiredService<LogReader>(), Path.Combine(AppContext.BaseDirectory, "Questions")));
        services.AddOperators("query-operator", "/");
        services.AddProblemDetails();
    }

    public static void MapQuery(this WebApplication app)
    {
        app.UseProxies();
        app.UseMiddleware<SecurityHeaders>();
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseHeadRouting();
        var api = app.MapGroup("").RequireApiKey("Query:ApiKey");
        api.MapAccounts();
        api.MapLog();
        app.MapPages();
    }
}
