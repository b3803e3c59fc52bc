// Sign-up as ASP.NET Core brings it: MapIdentityApi's POST /register, with EF Core on PostgreSQL.
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;

var builder = WebApplication.CreateBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddAuthorization();
builder.Services.AddDbContextPool<Users>(options => options.UseNpgsql(builder.Configuration.GetConnectionString("Postgres")));
builder.Services.AddIdentityApiEndpoints<IdentityUser>(options => options.User.RequireUniqueEmail = true).AddEntityFrameworkStores<Users>();
builder.Services.Configure<PasswordHasherOptions>(options => options.IterationCount = builder.Configuration.GetValue("Iterations", 220_000));

var app = builder.Build();
await using (var scope = app.Services.CreateAsyncScope())
    await scope.ServiceProvider.GetRequiredService<Users>().Database.EnsureCreatedAsync();
app.MapGet("/health/ready", () => Results.Ok());
app.MapIdentityApi<IdentityUser>();
await app.RunAsync();

internal sealed class Users(DbContextOptions<Users> options) : IdentityDbContext<IdentityUser>(options);
