namespace Signup.Gateway.Pages;

/// <summary>What a page with a message offers to do next.</summary>
public enum NextStep
{
    /// <summary>To the form to sign up.</summary>
    Start,
    /// <summary>The same, where it was in vain the first time.</summary>
    SignUpAgain,
    SignIn,
    /// <summary>Ask for another link to choose a password, or sign in.</summary>
    NewLink,
    /// <summary>To one's account, or to where one signs in.</summary>
    Account,
}
